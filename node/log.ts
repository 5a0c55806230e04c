// Structured logs by pino: one line an event, JSON on stdout, or a readable line where a person looks on. The `event` field is a stable short name.
// What may be secret is cut by name wherever it stands in the data; nothing here is a substitute for not logging it.
import { pino, type DestinationStream, type Logger } from 'pino'
import { DongbaekError } from '../primitives/errors.ts'
import { type LogLevel, logLevels } from '../rpc/api/admin.ts'
import { logRepeatKeysMax, logRepeatMs } from './limits.ts'
import type { Clock, Log, LogData, LogEvent } from './world.ts'

/** Shared by a log and all its children. */
export interface LogGate {
  level: LogLevel
}

export interface LogOptions {
  /** Lines below are left out; one that is held on to can be changed while the node runs. */
  readonly level: LogLevel | LogGate
  /** On every line: the node's name, the chain. */
  readonly bindings?: LogData
  /** Readable lines instead of JSON. */
  readonly readable: boolean
  /** Where lines go; stdout when left out. */
  readonly write?: (line: string) => void
}

const secretNames = ['seed', 'secret', 'passphrase', 'password', 'privateKey', 'token', 'authorization']
const redact = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => void process.stdout.write(line))
  const destination: DestinationStream = { write: options.readable ? (line) => write(readableLine(line)) : write }
  const logger = pino(
    {
      // the gate decides: children of pino keep the level that they were made with
      level: 'debug',
      base: options.bindings ?? {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorData },
      redact: { paths: redact, censor: '(hidden)' },
    },
    destination,
  )
  return wrap(logger, typeof options.level === 'string' ? { level: options.level } : options.level)
}

function wrap(logger: Logger, gate: LogGate): Log {
  const at =
    (level: Exclude<LogLevel, 'silent'>): LogEvent =>
    (event, data) => {
      if (logLevels.indexOf(level) >= logLevels.indexOf(gate.level)) logger[level]({ event, ...data })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: (bindings) => wrap(logger.child(bindings), gate) }
}

/** For tests and for what must run before the configuration is known. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silentLog }

/** An error as data: code, sentence, data and the chain of causes, at most four deep; the stack of what is not ours to name. */
function errorData(value: unknown, depth = 0): unknown {
  if (!(value instanceof Error)) return String(value)
  const cause = value.cause === undefined || depth >= 3 ? {} : { cause: errorData(value.cause, depth + 1) }
  if (value instanceof DongbaekError) return { code: value.code, message: value.message, data: value.data, ...cause }
  return { name: value.name, message: value.message, stack: value.stack, ...cause }
}

function readableLine(line: string): string {
  const { level, time, event, ...data } = JSON.parse(line) as Record<string, unknown>
  const rest = Object.entries(data).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${String(event)}${rest.length > 0 ? `  ${rest.join(' ')}` : ''}\n`
}

/**
 * Keeps a line that a stranger can provoke from filling the disk: `pass(key)` is undefined while the key had its line within logRepeatMs,
 * else the number of lines left out since. More than logRepeatKeysMax keys share one line.
 */
export function createThrottle(clock: Clock): (key: string) => number | undefined {
  const keys = new Map<string, { at: number; suppressed: number }>()
  return (wanted) => {
    const now = clock.monotonic()
    const key = keys.has(wanted) || keys.size < logRepeatKeysMax ? wanted : ''
    const seen = keys.get(key)
    if (seen !== undefined && now - seen.at < logRepeatMs) {
      seen.suppressed++
      return undefined
    }
    if (keys.size >= logRepeatKeysMax) for (const [old, { at }] of keys) if (now - at >= logRepeatMs && old !== key) keys.delete(old)
    keys.set(key, { at: now, suppressed: 0 })
    return seen?.suppressed ?? 0
  }
}
