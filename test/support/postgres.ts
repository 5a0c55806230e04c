// A PostgreSQL server of its own for a test, by the programs of Debian's packages: in a temporary folder, at a socket there, gone afterwards.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, copyFileSync, globSync, mkdtempSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The server refuses to run as root: there it runs as nobody. */
const nobody = 65_534

/** Ends the server and takes the folder away as soon as nothing holds the pipe at 3 any more: at `stop`, and when the test is killed. */
const keeper = `trap '' INT TERM
"$@" 3<&- &
server=$!
{ read -r _; kill -INT "$server"; } <&3 2>/dev/null &
wait "$server"
rm -rf "$0"`

export interface Postgres {
  /** Of a database by its name. */
  readonly url: (database: string, user?: string) => string
  /** The socket that the server listens at. */
  readonly path: string
  readonly tcpPort: number
  readonly stop: () => Promise<void>
}

export const withoutPostgres = 'no PostgreSQL with PostGIS is installed here: apt-get install postgresql-postgis'

/** The files of a certificate and its key, as PEM. */
export interface ServerCertificate {
  readonly certificate: string
  readonly key: string
}

/** With a certificate it also listens at `tcpPort` of 127.0.0.1, and takes nothing there but TLS. Undefined where no server with PostGIS is installed. */
export async function startPostgres(tls?: ServerCertificate): Promise<Postgres | undefined> {
  const version = globSync('/usr/share/postgresql/*/extension/postgis.control').map((path) => Number(path.split('/')[4])).sort((a, b) => a - b).at(-1)
  if (version === undefined) return undefined
  const programs = `/usr/lib/postgresql/${version}/bin`
  const folder = mkdtempSync(join(tmpdir(), 'dongbaek-postgres-'))
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'dongbaek', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'], { ...user, cwd: folder, stdio: 'pipe' })
  const port = tls === undefined ? 5_432 : await freePort()
  const server = [join(programs, 'postgres'), '-D', data, '-k', folder, '-h', tls === undefined ? '' : '127.0.0.1', '-p', String(port), '-c', 'fsync=off']
  if (tls !== undefined) {
    for (const [name, from] of [['server.pem', tls.certificate], ['server.key', tls.key]] as const) {
      copyFileSync(from, join(folder, name))
      chmodSync(join(folder, name), 0o600)
      if (user.uid !== undefined) chownSync(join(folder, name), user.uid, user.gid)
    }
    writeFileSync(join(data, 'pg_hba.conf'), 'local all all trust\nhostssl all all 127.0.0.1/32 trust\n')
    server.push('-c', 'ssl=on', '-c', `ssl_cert_file=${join(folder, 'server.pem')}`, '-c', `ssl_key_file=${join(folder, 'server.key')}`)
  }
  const kept = spawn('sh', ['-c', keeper, folder, ...server], { ...user, cwd: '/', stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const exited = once(kept, 'exit')
  let output = ''
  await new Promise<void>((resolve, reject) => {
    kept.stderr?.on('data', (text: Buffer) => {
      output += text.toString()
      if (output.includes('ready to accept connections')) resolve()
    })
    void exited.then(() => reject(new Error(`the server has ended:\n${output}`)))
  })
  return {
    url: (database, name = 'dongbaek') => `postgres://${name}@localhost:${port}/${database}?host=${folder}`,
    path: join(folder, `.s.PGSQL.${port}`),
    tcpPort: port,
    stop: async () => {
      const pipe = kept.stdio[3] as Socket
      pipe.destroy()
      await exited
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
