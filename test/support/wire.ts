// A node behind a wire that breaks: what a phone's connection is like.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'

/**
 * The address under which `url` is reached over it. `budgetOf` says, of each connection, how many bytes it carries before it breaks; Infinity: it holds. A number below zero: it hangs instead, from that byte on.
 * A `url` that is a function is asked for each connection: a node that was started again has another port.
 */
export async function wire(t: Test, url: string | (() => string), budgetOf: (connection: number) => number): Promise<string> {
  let connections = 0
  const open = new Set<Socket>()
  const server: Server = createServer((near) => {
    const budget = budgetOf(connections++)
    let left = Math.abs(budget)
    const far = connect(Number(new URL(typeof url === 'string' ? url : url()).port), '127.0.0.1')
    const end = (): void => {
      near.destroy()
      far.destroy()
    }
    for (const one of [near, far]) {
      open.add(one)
      one.on('error', end).on('close', () => {
        open.delete(one)
        end()
      })
    }
    near.on('data', (data) => far.write(data))
    far.on('data', (data: Buffer) => {
      if (left > 0) near.write(data.subarray(0, left))
      left -= data.length
      if (left <= 0 && budget >= 0) near.end(() => end())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const one of open) one.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
