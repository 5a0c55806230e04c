// node_… and rpc.discover.
import { discoverMethod, nodePeersMethod, nodeStatusMethod } from '../api/node.ts'
import { type Method, serve } from './method.ts'

export const nodeMethods: readonly Method[] = [
  serve(nodeStatusMethod, ({ backend }) => backend.status()),
  serve(nodePeersMethod, ({ backend }) => ({ items: backend.peers() })),
  serve(discoverMethod, ({ discover }) => discover()),
]
