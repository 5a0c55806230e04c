// How the command line answers: readable text, or with --json one JSON document on stdout. Errors go to stderr: the code, what happened and what
// to do. Exit codes: 0 done or healthy, 1 failed, 2 wrong use, 3 the node answers and is not well.
import { inspect, styleText } from 'node:util'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json } from '../../primitives/schema.ts'

export const exitFailed = 1
export const exitUsage = 2
export const exitUnwell = 3

export interface JsonOption {
  readonly json?: boolean
}

/** Prints `text` for people, or `value` for programs. */
export function answer(options: JsonOption, value: Json, text: readonly string[]): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value, undefined, 2)}\n` : `${text.join('\n')}\n`)
}

/** A word to the operator that is no answer; stdout stays for the answer. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Prints what was thrown; the exit code to end with. */
export function reportError(error: unknown, json: boolean): number {
  if (!(error instanceof DongbaekError)) {
    say(`${styleText('red', 'internal', { stream: process.stderr })}  This is a fault of the program. Please report it with these lines.\n${inspect(error)}`)
    return exitFailed
  }
  const { code, message, data } = error
  if (json) say(JSON.stringify({ error: { code, message, data } }))
  else say(`${styleText('red', code, { stream: process.stderr })}  ${message}${message.endsWith('.') ? '' : '.'}`)
  return exitFailed
}

/** Rows under headings, in columns. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = headings.map((heading, column) => Math.max(width(heading), ...rows.map((row) => width(row[column] ?? ''))))
  const line = (cells: readonly string[]): string => cells.map((cell, column) => cell + ' '.repeat((widths[column] as number) - width(cell))).join('  ').trimEnd()
  return [line(headings), ...rows.map(line)]
}

/** Columns of a terminal: Hangul and Han take two. */
function width(text: string): number {
  let columns = 0
  for (const character of text) columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/.test(character) ? 2 : 1
  return columns
}

export function thousands(amount: number): string {
  return String(amount).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** 2026-05-14 09:00:03 +09:00: operators live in Korea. */
export function koreanTime(ms: number): string {
  return `${new Date(ms + 9 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')} +09:00`
}
