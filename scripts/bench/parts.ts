// Which part of a node a sample of its profile belongs to: that of the innermost function on the stack that has one. What all use (bytes, codec,
// hashes, Node's own) has none, so its time counts for whoever called it.
import type { CpuProfile, ProfileNode } from './capture.ts'

const parts: readonly (readonly [part: string, pattern: RegExp])[] = [
  ['signature checks', /\/node\/verifier/],
  ['RPC: subscriptions', /\/rpc\/(feed|subscriptions|websocket)\.ts|node_modules\/ws\//],
  ['RPC: HTTP and JSON-RPC', /\/rpc\/|node_modules\/(fastify|@fastify|find-my-way|light-my-request|avvio|secure-json-parse|fast-content-type-parse)\/|node:_http|node:internal\/http/],
  ['admission and mempool', /\/node\/(admission|mempool)\.ts/],
  ['gossip', /\/node\/gossip\.ts/],
  ['network (libp2p)', /\/node\/(libp2p|link|outbox|inbox|frames|dialer|requests|exchange|serving)\.ts|node_modules\/(@?libp2p|@chainsafe|uint8|it-|@multiformats|multiformats|race-|@noble\/ciphers|as-)/],
  ['vote log', /\/node\/(votelog|vote-segment|vote-entries)\.ts/],
  ['payloads', /\/node\/(availability|payloads|proposer)\.ts/],
  ['consensus', /\/consensus\/|\/node\/(driver|inbound|ordering|follower)\.ts/],
  ['state tree', /\/state\/(tree|proof)/],
  ['execution', /\/state\/(?!transaction|families|table)|\/node\/(executor|bodies|waiters|house)\.ts/],
  ['store', /\/node\/(chain-store|store)\.ts|node_modules\/(classic-level|abstract-level|level)/],
]

const outside: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(program)', 'outside JavaScript (system calls, libuv)'],
])

export interface Sums {
  readonly busyMs: number
  readonly wallMs: number
  readonly byPart: ReadonlyMap<string, number>
  readonly byFile: ReadonlyMap<string, number>
  readonly byFunction: ReadonlyMap<string, number>
}

/** Self times in ms, without idle time. */
export function sumProfile({ nodes, samples, timeDeltas }: CpuProfile): Sums {
  const parents = new Map<number, ProfileNode>()
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const labels = new Map(nodes.map((node) => [node.id, { part: partOf(node, parents), file: fileOf(node), name: nameOf(node) }]))
  const byPart = new Map<string, number>()
  const byFile = new Map<string, number>()
  const byFunction = new Map<string, number>()
  let busyMs = 0
  let wallMs = 0
  samples.forEach((id, i) => {
    const ms = (timeDeltas[i] ?? 0) / 1_000
    wallMs += ms
    const label = labels.get(id)
    if (label === undefined || byId.get(id)?.callFrame.functionName === '(idle)') return
    busyMs += ms
    for (const [sums, key] of [[byPart, label.part], [byFile, label.file], [byFunction, label.name]] as const) sums.set(key, (sums.get(key) ?? 0) + ms)
  })
  return { busyMs, wallMs, byPart, byFile, byFunction }
}

function partOf(node: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): string {
  const known = outside.get(node.callFrame.functionName)
  if (known !== undefined) return known
  for (let at: ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) {
    const { url } = at.callFrame
    const found = parts.find(([, pattern]) => pattern.test(url))
    if (found !== undefined) return found[0]
  }
  return 'Node: event loop, streams, timers'
}

function fileOf({ callFrame: { url, functionName } }: ProfileNode): string {
  if (url === '') return functionName
  return url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\/.*\/(?=(?:node|rpc|state|consensus|primitives|genesis)\/)/, '')
}

function nameOf(node: ProfileNode): string {
  const { functionName, url, lineNumber } = node.callFrame
  const name = functionName === '' ? '(anonymous)' : functionName
  return url === '' ? name : `${name} ${fileOf(node)}:${lineNumber + 1}`
}
