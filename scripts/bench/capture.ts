// A CPU profile of a running node over a stretch of time, by the inspector protocol: a start with --cpu-prof would show mostly its start and the
// setting up. The node must run with `inspectOption`; its inspector listens on this machine only, at a port that it writes to its log.
import { readFileSync } from 'node:fs'

export const inspectOption = '--inspect=127.0.0.1:0'

export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  readonly children?: readonly number[]
}

export interface Capture {
  readonly start: () => Promise<void>
  readonly stop: () => Promise<CpuProfile>
}

interface Reply {
  readonly id?: number
  readonly result?: { readonly profile?: CpuProfile }
}

export async function openCapture(nodeLog: string): Promise<Capture> {
  const [, url] = /Debugger listening on (ws:\S+)/.exec(readFileSync(nodeLog, 'utf8')) ?? []
  if (url === undefined) throw new Error(`no inspector in ${nodeLog}`)
  const socket = new WebSocket(url)
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('the inspector does not answer')))
  })
  const waiting = new Map<number, (reply: Reply) => void>()
  let lastId = 0
  socket.addEventListener('message', ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
  })
  const ask = (method: string, params: Readonly<Record<string, number>> = {}): Promise<Reply> =>
    new Promise((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  return {
    start: async () => {
      await ask('Profiler.enable')
      await ask('Profiler.setSamplingInterval', { interval: 500 })
      await ask('Profiler.start')
    },
    stop: async () => {
      const { result } = await ask('Profiler.stop')
      socket.close()
      if (result?.profile === undefined) throw new Error('the inspector gave no profile')
      return result.profile
    },
  }
}
