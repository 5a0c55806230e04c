// Connections of one address: without a bound, one caller could hold all that the server has, silent in tx_wait.
import type { Server } from 'node:http'
import { bucketKey } from './limiter.ts'

/** Cuts what one address opens beyond `max`; 0 means no limit. Behind a proxy every connection is the proxy's, so leave it to the proxy. */
export function limitConnections(server: Server, max: number): void {
  if (max === 0) return
  const open = new Map<string, number>()
  server.on('connection', (socket) => {
    const key = bucketKey(socket.remoteAddress ?? '')
    const count = (open.get(key) ?? 0) + 1
    open.set(key, count)
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1
      if (left === 0) open.delete(key)
      else open.set(key, left)
    })
    if (count > max) socket.destroy()
  })
}
