// Ports of networks in tests: nobody else's, now and for as long as the process lives.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import t from 'tap'
import { freeBasePort, freePorts } from '../../scripts/devnet/ports.ts'

const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range'
const blockPorts = 500
const each = 6
const blockOf = (port: number): number => port - (port % blockPorts)

t.test('below what outgoing connections are given, free, and each once', async (t) => {
  const base = await freeBasePort()
  const ports = [await freePorts(5), await freePorts(1), await freePorts(400), await freePorts(400)].flat()
  t.equal(new Set(ports).size, 806)
  t.equal(new Set(ports.map(blockOf)).size, 2, 'those that a block has not are of another')
  t.notOk(ports.some((port) => blockOf(port) === base), 'a network of its own keeps its block')
  const ephemeral = existsSync(rangeFile) ? Number(readFileSync(rangeFile, 'utf8').split(/\s/)[0]) : 32_768
  t.ok(Math.max(base + blockPorts, ...ports) < ephemeral)
  for (const port of [base, base + 300, ...ports.slice(0, 6)]) {
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
  }
})

t.test('what is in use elsewhere is not given out: blocks of another process, and such as somebody listens in', async (t) => {
  const module = path.join(import.meta.dirname, '../../scripts/devnet/ports.ts')
  const take = `import { freeBasePort } from ${JSON.stringify(module)}; for (let i = 0; i < ${each}; i++) console.log(await freeBasePort()); process.stdin.resume()`
  const other = spawn(process.execPath, ['--input-type=module', '-e', take], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => other.kill())
  const theirs: number[] = []
  for await (const text of other.stdout.setEncoding('utf8')) {
    theirs.push(...String(text).trim().split('\n').map(Number))
    if (theirs.length === each) break
  }
  // not all blocks: other tests want some at this moment. What was given out in spite of all would be seen in three of four runs
  const listened: number[] = []
  for (let block = 10_000; listened.length < each; block += blockPorts) {
    if (theirs.includes(block)) continue
    const server = createServer().listen(block + 250, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening').then(() => listened.push(block), () => {}) // a test beside this one has it
  }
  const mine: number[] = []
  while (mine.length < each) mine.push(await freeBasePort())
  t.equal(new Set(mine).size, each)
  t.strictSame(mine.filter((base) => theirs.includes(base)), [], 'none of another process')
  t.strictSame(mine.filter((base) => listened.includes(base)), [], 'none with a port in use')
})
