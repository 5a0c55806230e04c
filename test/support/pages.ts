// docs/tutorial.md as a program: its code blocks in order, as the body of one function over what the page calls `network`.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/** What the page begins with. */
export interface TutorialNetwork {
  readonly urls: readonly string[]
  /** The text of the genesis file. */
  readonly genesis: string
  readonly seedOf: (office: string) => Uint8Array
  readonly now: () => number
  /** Resolves when the nodes' clocks are past this time. */
  readonly until: (ms: number) => Promise<void>
}

const root = path.join(import.meta.dirname, '../..')

/** The blocks of a page, each with the number of its first line in the page. */
export function codeBlocks(page: string): readonly { readonly line: number; readonly code: string }[] {
  return [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((found) => ({ line: page.slice(0, found.index).split('\n').length + 1, code: found[1] as string }))
}

/** A module whose default export runs the page. It has as many lines as the page, so that an error names the page's own line. */
export function moduleOf(page: string): string {
  const lines = page.split('\n').map(() => '')
  for (const { line, code } of codeBlocks(page)) code.split('\n').forEach((text, i) => (lines[line - 1 + i] = text))
  const text = lines.join('\n').replaceAll(/from '\.\.\/(.*)'/g, (_, file: string) => `from '${path.join(root, file)}'`)
  const end = text.lastIndexOf("\nimport ")
  const head = text.indexOf('\n', end + 1)
  const imports = text.slice(0, head)
  return `${imports}; import type { TutorialNetwork } from '${path.join(root, 'test/support/tutorial.ts')}'; export default async function tutorial(network: TutorialNetwork): Promise<void> {${text.slice(head)}\n}\n`
}

export function readTutorial(): string {
  return readFileSync(path.join(root, 'docs/tutorial.md'), 'utf8')
}

export async function loadTutorial(file: string): Promise<(network: TutorialNetwork) => Promise<void>> {
  return ((await import(pathToFileURL(file).href)) as { readonly default: (network: TutorialNetwork) => Promise<void> }).default
}
