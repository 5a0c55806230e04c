// npm run devnet: a network of real processes on this machine, with launch day played on it. See --help.
import { spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { styleText } from 'node:util'
import { genesisHash } from '../genesis/genesis.ts'
import { toHex } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { type DayResult, launchDay } from './devnet/launch-day.ts'
import { type DevnetNode, type Network, openNetwork } from './devnet/network.ts'
import { type DevnetOptions, help, readOptions } from './devnet/options.ts'
import { createProcesses, markOurs, otherDevnet, type Processes, startCommand, stopOthers, tail } from './devnet/processes.ts'
import { waitUntilReady } from './devnet/ready.ts'
import { createScreen, type Screen } from './devnet/screen.ts'

const exitFailed = 1
const exitUsage = 2

const screen = createScreen()
process.exitCode = await main()
// nothing of ours is left, but a terminal's stdin would keep the process
process.stdin.unref?.()

async function main(): Promise<number> {
  let options: DevnetOptions | undefined
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    return exitUsage
  }
  if (options === undefined) {
    console.log(help)
    return 0
  }
  const processes = createProcesses((node, how, lastLines) => reportDeath(screen, node, how, lastLines))
  const stop = stopSignal(() => processes.endAll())
  try {
    return await play(options, processes, stop)
  } catch (error) {
    const isExpected = error instanceof DongbaekError || (error as Error).constructor === Error
    screen.alert(`\n${isExpected ? (error as Error).message : String((error as Error).stack)}`)
    return exitFailed
  } finally {
    screen.mark()
    const { stopped, ended } = await processes.stopAll()
    // those that were started again by hand
    if (stopped > 0) await stopOthers(options.data)
    if (ended.length > 0) screen.alert(`${ended.join(', ')} did not stop in time and had to be ended.`)
    else if (stopped > 0) screen.step('Stopped', 'all nodes, in order')
  }
}

async function play(options: DevnetOptions, processes: Processes, stop: StopSignal): Promise<number> {
  const other = otherDevnet(options.data)
  if (other !== undefined) throw new Error(`A devnet runs on ${options.data} already, with pid ${other}. Stop it by Ctrl-C, or choose another folder and other ports by --data and --base-port.`)
  const leftOver = await stopOthers(options.data)
  if (leftOver > 0) screen.step('Left over', `stopped ${leftOver} nodes of this folder that still ran`)
  const network = await openNetwork(options, screen.step)
  markOurs(options.data)
  const { nodes, genesis } = network
  screen.line(`           hash ${toHex(genesisHash(genesis))}`)
  for (const node of nodes) processes.start(node)
  screen.step('Processes', `${count(nodes, 'validator')} and ${count(nodes, 'observer')} started`)
  const readiness = await waitUntilReady(nodes, processes, stop.stopped, (line) => screen.line(`           … ${line}`))
  if (stop.stopped()) return 0
  if (readiness.length > 0) {
    for (const { node, why } of readiness) {
      screen.alert(`${node.name} is not ready: ${why}`)
      for (const line of tail(node.log)) screen.line(`    ${line}`)
    }
    return exitFailed
  }
  screen.step('Ready', 'all connected, a quorum in sight')
  const day = options.demo ? await Promise.race([launchDay(network, screen), stop.wait.then(() => undefined)]) : undefined
  if (day !== undefined) screen.line(`\n${day.held ? styleText('green', `Launch day holds: ${day.steps} steps.`) : styleText('red', 'Launch day does not hold.')}`)
  const code = day?.held === false ? exitFailed : 0
  if (options.exit || stop.stopped()) return code
  tellHowToGoOn(network, processes, day)
  const reader = restartOnRequest(network, processes)
  await stop.wait
  reader?.close()
  return code
}

function count(nodes: readonly DevnetNode[], role: DevnetNode['role']): string {
  const number = nodes.filter((node) => node.role === role).length
  return `${number} ${role}${number === 1 ? '' : 's'}`
}

function reportDeath(screen: Screen, node: DevnetNode, how: string, lastLines: readonly string[]): void {
  screen.alert(`\n${node.name} ${how}. The others go on. Its last lines:`)
  for (const line of lastLines) screen.line(`    ${line}`)
  screen.line(`Start it again: type ${node.name} and Enter here, or in another terminal\n    ${startCommand(node)}\n`)
}

function tellHowToGoOn({ nodes, folder }: Network, processes: Processes, day: DayResult | undefined): void {
  screen.line(`\n${styleText('bold', 'The network is up')} until Ctrl-C; its data stays in ${folder}`)
  for (const node of nodes) screen.line(`  ${node.name.padEnd(12)}${node.rpc}   pid ${processes.pidOf(node) ?? 'none'}   log ${node.log}`)
  const first = nodes[0] as DevnetNode
  const rpc = (nodes.find(({ role }) => role === 'observer') ?? first).rpc
  const call = (method: string, params: object): string => `  curl -s ${rpc} -H 'content-type: application/json' -d '${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })}'`
  screen.line('\nAsk it:')
  screen.line(call('node_status', {}))
  screen.line(call('chain_getBlocks', { order: 'descending', limit: 5 }))
  if (day?.did !== undefined) screen.line(call('points_balance', { did: day.did }))
  screen.line(call('points_audit', { program: 'multi-child' }))
  screen.line(call('events_since', { cursor: '', limit: 20 }))
  screen.line(`  npx dongbaek status --rpc ${rpc}`)
  screen.line('\nTry its nerve: kill a validator, the primary too, and watch the chain go on:')
  screen.line(`  kill -9 ${processes.pidOf(first) ?? 0}`)
  screen.line(`Nothing restarts by itself. To start ${first.name} again, type its name and Enter here, or run\n  ${startCommand(first)}\n`)
}

function restartOnRequest({ nodes }: Network, processes: Processes): { readonly close: () => void } | undefined {
  if (isInBackground()) return undefined
  const reader = createInterface({ input: process.stdin })
  reader.on('line', (line) => {
    const name = line.trim()
    if (name === '') return
    const node = nodes.find((one) => one.name === name)
    if (node === undefined) screen.line(`No node is called ${name}. There are ${nodes.map((one) => one.name).join(', ')}.`)
    else if (processes.isRunning(node)) screen.line(`${name} runs, with pid ${processes.pidOf(node)}.`)
    else screen.line(`${name} started again, with pid ${processes.start(node)}.`)
  })
  return reader
}

/** Reading the terminal from the background would suspend us. */
function isInBackground(): boolean {
  if (!process.stdin.isTTY) return false
  const { stdout } = spawnSync('ps', ['-o', 'pgid=,tpgid=', '-p', String(process.pid)], { encoding: 'utf8' })
  const [own, foreground] = (stdout ?? '').trim().split(/\s+/)
  return own !== foreground
}

interface StopSignal {
  readonly wait: Promise<void>
  readonly stopped: () => boolean
}

/** The first signal stops in order; a second one ends everything at once. */
function stopSignal(endAll: () => void): StopSignal {
  let isStopped = false
  const wait = new Promise<void>((resolve) => {
    const stop = (): void => {
      if (isStopped) {
        endAll()
        process.exit(130)
      }
      isStopped = true
      screen.line('\nStopping …')
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  })
  return { wait, stopped: () => isStopped }
}
