// Errors towards the outside: the five of JSON-RPC 2.0, and one number in −32000 … −32099 for each code of ours. The numbers are part of the
// contract: add at the end of a group, never move one. A caller compares `data.code`, which is the same that a receipt bears; rules of one family share a number.
import { DongbaekError } from '../primitives/errors.ts'
import type { Json, JsonObject } from '../primitives/schema.ts'
import { envelopeCodes, families } from '../state/families.ts'

export const parseErrorNumber = -32700
export const invalidRequestNumber = -32600
export const methodNotFoundNumber = -32601
export const invalidParamsNumber = -32602
export const internalErrorNumber = -32603

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: JsonObject
}

/** Parameters that do not fit: the only DongbaekError that becomes −32602. */
export class InvalidParams extends Error {
  readonly error: DongbaekError
  constructor(error: DongbaekError) {
    super(error.message, { cause: error })
    this.error = error
  }
}

interface Described {
  readonly number: number
  readonly sentence: string
}

/** Codes of the RPC, the node and the chain, each with its own number. */
const ownCodes: Readonly<Record<string, Described>> = {
  'rpc/rate-limited': { number: -32000, sentence: 'Too many calls from this address or with this key. Wait for retryAfterMs, or use a node of your own.' },
  'rpc/stopping': { number: -32001, sentence: 'This node is stopping. Ask another, or this one again later.' },
  'rpc/batch-timeout': { number: -32002, sentence: 'The batch took too long before this call began. Send it again in a smaller batch.' },
  'rpc/answer-too-large': { number: -32003, sentence: 'The answers of this batch are too large together. Send this call again by itself.' },
  'rpc/cursor-ahead': { number: -32004, sentence: 'The cursor lies far ahead of this node’s head: it belongs to another chain, or the node is far behind.' },
  'rpc/too-many-subscriptions': { number: -32005, sentence: 'This connection has as many subscriptions as it may have. End one first.' },
  'rpc/no-such-subscription': { number: -32006, sentence: 'There is no subscription with this id on this connection.' },
  'rpc/websocket-only': { number: -32007, sentence: 'Subscriptions need a connection: use the WebSocket at /ws.' },
  'rpc/cursor-filter': { number: -32008, sentence: 'The cursor comes from another channel or filter. Use it with that one, or begin anew.' },
  'rpc/unknown-key': { number: -32009, sentence: 'The request bears a key that this node has not issued. Send the right one, or none.' },
  'node/not-ready': { number: -32010, sentence: 'The node is not caught up or sees no quorum: see node_status. Ask another node.' },
  'node/not-certified': { number: -32011, sentence: 'The state is not certified yet. Try again in a second.' },
  'mempool/full': { number: -32012, sentence: 'The node holds as many waiting transactions as it can. Send the same bytes again later.' },
  'mempool/sender-limit': { number: -32013, sentence: 'This sender has as many waiting transactions as one sender may have. Wait for some to be final.' },
  'verifier/busy': { number: -32014, sentence: 'More signatures wait to be checked than the node takes on. Send the same bytes again in a moment.' },
  'verifier/stopped': { number: -32015, sentence: 'This node is stopping. Ask another, or this one again later.' },
  'mempool/sender-rate': { number: -32016, sentence: 'This sender sends more transactions a second than this node takes from one. Send the same bytes again after retryAfterMs.' },
  'node/busy': { number: -32017, sentence: 'More is asked of this node at once than it takes on. Ask again in some seconds, or ask another.' },
  'chain/not-found': { number: -32020, sentence: 'There is no such block, certificate or validator set on this chain yet.' },
  'chain/pruned': { number: -32021, sentence: 'This node does not keep blocks that old. Ask an archive node.' },
  'tx/not-found': { number: -32022, sentence: 'No transaction with this id has run. It may be waiting, or never have come here.' },
  'tx/not-final': { number: -32023, sentence: 'The transaction is not final yet; its fate is open. Wait again for the same id.' },
  'tx/duplicate': { number: -32030, sentence: '' },
  'tx/expired': { number: -32031, sentence: '' },
  'tx/valid-until-too-far': { number: -32032, sentence: '' },
  'tx/wrong-chain': { number: -32033, sentence: '' },
  'tx/unknown-kind': { number: -32034, sentence: '' },
  'tx/payload-invalid': { number: -32035, sentence: '' },
  'tx/signers': { number: -32036, sentence: '' },
  'tx/signature-invalid': { number: -32037, sentence: '' },
  'tx/key-not-authorised': { number: -32038, sentence: '' },
  'tx/family-paused': { number: -32039, sentence: '' },
  'codec/invalid': { number: -32040, sentence: 'A value breaks its schema: see path and expected.' },
  'codec/malformed': { number: -32041, sentence: 'The bytes are not MessagePack.' },
  'codec/not-canonical': { number: -32042, sentence: 'The bytes are not the one canonical encoding of their value.' },
  'codec/too-large': { number: -32043, sentence: 'The bytes are more than allowed.' },
  'did/not-found': { number: -32050, sentence: 'There is no such DID, version or history on this chain.' },
  'credential/not-found': { number: -32051, sentence: 'There is no such issuer, status list or anchor.' },
  'points/not-found': { number: -32052, sentence: 'There is no such programme, application or grant.' },
  'reservation/not-found': { number: -32053, sentence: 'There is no such facility, slot or reservation.' },
  'community/not-found': { number: -32054, sentence: 'There is no such post, or its body was erased or never came to this node.' },
  'governance/not-found': { number: -32055, sentence: 'There is no such role, proposal or parameter.' },
  'events/not-found': { number: -32056, sentence: 'The block has no event at this place.' },
  'community/body-too-large': { number: -32057, sentence: 'The body of a post is larger than allowed.' },
  'community/body-empty': { number: -32058, sentence: 'A body has at least one byte.' },
  'community/body-erased': { number: -32059, sentence: 'The body with this hash was erased for good. Write it anew, with a new salt.' },
  'community/body-other-length': { number: -32060, sentence: 'The post that names this body says another number of bytes than it has. Post it anew.' },
}

/** What the rules of a family refuse. */
const familyNumbers: Readonly<Record<string, number>> = { did: -32070, credential: -32071, points: -32072, reservation: -32073, community: -32074, governance: -32075 }
/** A rule of a family that has no number of its own yet. */
const otherRuleNumber = -32098
/** Families of codes that mean trouble inside the node. The caller learns the code, the log the rest. */
const internalFamilies: ReadonlySet<string> = new Set(['store', 'state', 'votelog', 'verifier', 'transport', 'keystore', 'config', 'internal'])

export interface ListedCode {
  readonly code: string
  readonly number: number
  readonly sentence: string
}

/** Every code a caller can meet, in answers or in receipts, with its number. */
export const listedCodes: readonly ListedCode[] = [
  ...Object.entries(ownCodes).map(([code, { number, sentence }]) => ({ code, number, sentence: envelopeCodes[code] ?? sentence })),
  ...Object.entries(envelopeCodes).filter(([code]) => ownCodes[code] === undefined).map(([code, sentence]) => ({ code, number: numberOf(code), sentence })),
  ...families.flatMap((family) => Object.entries(family.codes).filter(([code]) => ownCodes[code] === undefined && envelopeCodes[code] === undefined).map(([code, sentence]) => ({ code, number: numberOf(code), sentence }))),
]

/** The number of a code; −32603 for trouble inside the node. */
export function numberOf(code: string): number {
  const own = ownCodes[code]
  if (own !== undefined) return own.number
  const prefix = code.split('/', 1)[0] as string
  if (internalFamilies.has(prefix)) return internalErrorNumber
  return familyNumbers[prefix] ?? otherRuleNumber
}

export const internalError: RpcError = { code: internalErrorNumber, message: 'The node failed to answer. Its log says why.', data: { code: 'internal' } }

/** Any thrown value as an answer; never a stack, never the words of an error that is not ours. */
export function rpcErrorOf(thrown: unknown): RpcError {
  if (thrown instanceof InvalidParams) return { code: invalidParamsNumber, message: `Invalid params: ${thrown.error.message}`, data: dataOf(thrown.error) }
  if (!(thrown instanceof DongbaekError)) return internalError
  const number = numberOf(thrown.code)
  if (number === internalErrorNumber) return { ...internalError, data: { code: thrown.code } }
  return { code: number, message: thrown.message, data: dataOf(thrown) }
}

function dataOf({ code, data }: DongbaekError): JsonObject {
  return { ...(data as Readonly<Record<string, Json>>), code }
}
