// The output of a step while it is being made.
import type { CheckpointCertificate, Decision } from './certificate.ts'
import type { TimerName } from './input.ts'
import type { Message } from './messages.ts'
import type { Blame, Halt, Output, Propose, Send, Sync, TimerChange, Validate, ViewNote } from './output.ts'
import type { LogRecord } from './record.ts'
import type { Validator } from './validators.ts'

export interface Effects {
  readonly persist: LogRecord[]
  readonly send: Send[]
  readonly timers: Map<TimerName, number | undefined>
  readonly deliver: Decision[]
  readonly validate: Validate[]
  readonly certified: CheckpointCertificate[]
  readonly blame: Blame[]
  readonly views: ViewNote[]
  propose: Propose | undefined
  sync: Sync | undefined
  halt: Halt | undefined
}

export function emptyEffects(): Effects {
  return { persist: [], send: [], timers: new Map(), deliver: [], validate: [], certified: [], blame: [], views: [], propose: undefined, sync: undefined, halt: undefined }
}

export function broadcast(effects: Effects, message: Message): void {
  effects.send.push({ to: 'all', message })
}

export function sendTo(effects: Effects, to: Validator, message: Message): void {
  effects.send.push({ to, message })
}

export function outputOf(effects: Effects): Output {
  const timers: TimerChange[] = [...effects.timers].map(([name, afterMs]) => ({ name, afterMs }))
  const { persist, send, deliver, validate, certified, blame, views, propose, sync, halt } = effects
  return {
    persist,
    send,
    timers,
    deliver,
    validate,
    certified,
    blame,
    views,
    ...(propose === undefined ? {} : { propose }),
    ...(sync === undefined ? {} : { sync }),
    ...(halt === undefined ? {} : { halt }),
  }
}
