// Brings a machine to where the TypeScript programs run: dependencies installed as the lockfile says, and Node 24.
// Plain JavaScript without dependencies, so that any Node from 18 on can read it on a fresh clone. It writes to stderr
// only, and nothing at all when there is nothing to do: stdout belongs to the program.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const bundledNode = path.join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`)
const nodeOnPath = path.join(root, 'node_modules/.bin/node') // npm scripts look here first
const nodeMajorMin = 24
const tickMs = 5_000
// A Ctrl-C reaches a child from the terminal, and us from the terminal and from npm: we pass on one.
const repeatedSignalMs = 1_000

/** Installs what the lockfile lists unless it is there already. `withDev: false` is content without the dev tools. */
export async function ensureInstalled({ withDev = true } = {}) {
  if (!isInstalled(withDev) || !hasNode()) await install()
  // npm 10 takes this link away together with the packages for other machines
  if (!existsSync(nodeOnPath) && existsSync(bundledNode)) symlinkSync(path.relative(path.dirname(nodeOnPath), bundledNode), nodeOnPath)
}

const engineFlags = [
  // The young generation is twice this. V8 lets it grow to 128 MB, all of it in memory, to be busy less often.
  '--max-semi-space-size=32',
  // Marking may take longer: with a thread for each core it leaves votes none for a tenth of a second.
  '--concurrent-marking-max-worker-num=1',
]

/** Runs a program of ours on Node 24 with this process's terminal, signals and exit code. */
export function launch(program, args) {
  const command = [...engineFlags, path.join(root, program), ...args]
  // Compiled once and kept beside the dependencies, for whoever may write there: a node starts in a third of the processor time.
  process.env.NODE_COMPILE_CACHE ??= path.join(root, 'node_modules/.cache/compiled')
  // glibc gives each thread an arena of its own otherwise, up to eight a core, and what is freed in one is of no use to the others
  process.env.MALLOC_ARENA_MAX ??= '2'
  if (isNewEnough(process.versions.node)) {
    process.execve(process.execPath, [process.execPath, ...command], process.env) // becomes it; does not return
  }
  const child = spawn(bundledNode, command, { stdio: 'inherit' })
  child.on('error', missingNode)
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    let passedOnAt = -Infinity
    process.on(signal, () => {
      if (Date.now() - passedOnAt < repeatedSignalMs) return
      passedOnAt = Date.now()
      child.kill(signal)
    })
  }
}

async function install() {
  say('[1/2] Installing the dependencies with npm ci: a minute or so, and only when they change.')
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1_000)
  const ticker = setInterval(() => say(`      ... ${seconds()} s`), tickMs)
  const failure = await run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'])
  clearInterval(ticker)
  if (failure !== undefined) {
    stop(
      `The dependencies could not be installed: ${failure}. What npm says about it stands above.`,
      'Usually it helps to check that the registry answers (npm ping), that the disk has 1 GB free, and that',
      'package-lock.json is the committed one (git status). Then run the same command again.',
    )
  }
  say(`[2/2] Installed in ${seconds()} s. Running on Node ${nodeVersion()}.`)
}

/** Compares what the lockfile asks for with npm's own record of what it installed, which npm writes last. */
function isInstalled(withDev) {
  if (!existsSync(path.join(root, 'node_modules/.package-lock.json'))) return false
  const installed = readPackages('node_modules/.package-lock.json')
  return Object.entries(readPackages('package-lock.json')).every(([where, wanted]) => {
    if (where === '') return true
    const found = installed[where]
    if (found === undefined) return wanted.optional || wanted.devOptional || (wanted.dev && !withDev)
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}

function readPackages(lockfile) {
  return JSON.parse(readFileSync(path.join(root, lockfile), 'utf8')).packages
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', process.stderr, process.stderr] })
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) => resolve(code === 0 ? undefined : `npm ended with ${signal ?? code}`))
  })
}

function isNewEnough(version) {
  return Number(version.split('.')[0]) >= nodeMajorMin
}

function hasNode() {
  return isNewEnough(process.versions.node) || existsSync(bundledNode)
}

function nodeVersion() {
  if (isNewEnough(process.versions.node)) return process.versions.node
  const { stdout } = spawnSync(bundledNode, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  return stdout?.trim() || missingNode()
}

function missingNode() {
  stop(
    `Dongbaek needs Node ${nodeMajorMin} or newer. This is Node ${process.versions.node}, and the one that the dependencies`,
    `bring (Linux with glibc, x64 or arm64) does not run on this machine (${process.platform} ${process.arch}).`,
    `Install Node ${nodeMajorMin}, then run the same command again.`,
  )
}

function say(line) {
  process.stderr.write(`${line}\n`)
}

function stop(...lines) {
  lines.forEach(say)
  process.exit(1)
}
