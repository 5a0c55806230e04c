// A PostgreSQL server of its own for a test, by the programs of Debian's packages postgresql and postgis: in a temporary folder, at a free port, gone afterwards.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The server refuses to run as root: there it runs as nobody. */
const nobody = 65_534

export interface Postgres {
  /** Of a database by its name. */
  readonly url: (database: string, user?: string) => string
  readonly stop: () => Promise<void>
}

/** Undefined where no server with PostGIS is installed. POSTGRES_BIN names the folder of its programs, if it is another than Debian's. */
export async function startPostgres(): Promise<Postgres | undefined> {
  const folders = process.env['POSTGRES_BIN'] === undefined ? globSync('/usr/lib/postgresql/*/bin').sort() : [process.env['POSTGRES_BIN']]
  const programs = folders.findLast((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(sharedFolder(folder), 'extension/postgis.control')))
  if (programs === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'dongbaek-postgres-'))
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'dongbaek', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'], { ...user, cwd: folder, stdio: 'pipe' })
  const port = await freePort()
  const server = spawn(join(programs, 'postgres'), ['-D', data, '-p', String(port), '-k', folder, '-h', '127.0.0.1', '-c', 'fsync=off'], { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  await ready(server)
  return {
    url: (database, name = 'dongbaek') => `postgres://${name}@127.0.0.1:${port}/${database}`,
    stop: async () => {
      const exited = once(server, 'exit')
      // a fast shutdown
      server.kill('SIGINT')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function sharedFolder(programs: string): string {
  return existsSync(join(programs, 'pg_config')) ? execFileSync(join(programs, 'pg_config'), ['--sharedir'], { encoding: 'utf8' }).trim() : join(programs, '../../../../share/postgresql', programs.split('/').at(-2) ?? '')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function ready(server: ChildProcess): Promise<void> {
  let output = ''
  await new Promise<void>((resolve, reject) => {
    server.stderr?.on('data', (text: Buffer) => {
      output += text.toString()
      if (output.includes('ready to accept connections')) resolve()
    })
    server.on('exit', () => reject(new Error(`the server has ended:\n${output}`)))
  })
}
