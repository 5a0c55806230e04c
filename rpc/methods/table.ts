// The one list of methods: ours, and every query of every family.
import { subscribe, unsubscribe } from '../api/events.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { families } from '../../state/families.ts'
import { queryExamples } from '../examples.ts'
import { chainMethods } from './chain.ts'
import { credentialMethods } from './credential.ts'
import { type Method, serve, serveQuery } from './method.ts'
import { nodeMethods } from './node.ts'
import { stateMethods } from './state.ts'
import { txMethods } from './tx.ts'

function websocketOnly(): never {
  throw new DongbaekError('rpc/websocket-only', 'subscriptions need a connection: use the WebSocket at /ws')
}

/** What subscriptions answer over HTTP; a WebSocket brings its own. */
const subscriptionMethods: readonly Method[] = [serve(subscribe, websocketOnly), serve(unsubscribe, websocketOnly)]

export const methodList: readonly Method[] = [
  ...nodeMethods,
  ...chainMethods,
  ...txMethods,
  ...stateMethods,
  ...credentialMethods,
  ...families.flatMap((family) => family.queries.map((query) => serveQuery(query, queryExamples[query.method] ?? {}))),
  ...subscriptionMethods,
]

export const methods: ReadonlyMap<string, Method> = new Map(methodList.map((method) => [method.method, method]))
