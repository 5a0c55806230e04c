// File systems of our own whose power can be cut: an ext4 image on a loop device, shut down by the ioctl FS_IOC_SHUTDOWN without a flush of its
// journal. What was not synced by then is gone after the next mount, as after a power cut; kill -9 alone loses nothing, since the kernel still
// writes what the process gave it. Node has no ioctl, so one line of perl (part of every Debian) makes the call. Not shown by this: a disk that
// lies about its own cache.
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const shutdown = 'my $noLogFlush = pack("L", 2); for my $folder (@ARGV) { open(my $f, "<", $folder) or die "$folder: $!"; ioctl($f, 0x8004587d, $noLogFlush) or die "$folder: $!" }'
const unmountMs = 10_000

export interface Image {
  /** Where it is mounted. */
  readonly folder: string
  /** Mounts it again; the journal is replayed. */
  readonly mount: () => void
  readonly unmount: () => Promise<void>
  /** Unmounts and frees the loop device. Idempotent. */
  readonly dispose: () => Promise<void>
}

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (error !== undefined) throw new Error(`${command}: ${error.message}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`)
  return stdout.trim()
}

/** Why power cannot be cut on this machine; undefined when it can. Tries it out in `folder`. */
export async function whyNoPowerCuts(folder: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return `it takes Linux, and this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'loop devices and mounts take root'
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices (/dev/loop-control)'
  for (const command of ['losetup', 'mkfs.ext4', 'mount', 'umount', 'perl']) {
    if (spawnSync('which', [command]).status !== 0) return `${command} is missing (apt-get install ${command === 'perl' ? 'perl' : command === 'mkfs.ext4' ? 'e2fsprogs' : 'util-linux mount'})`
  }
  let image: Image | undefined
  try {
    image = createImage(join(folder, 'try.img'), join(folder, 'try'), 16)
    cut([image])
    await image.unmount()
    image.mount()
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    await image?.dispose()
    rmSync(join(folder, 'try.img'), { force: true })
  }
}

/** Makes and mounts a new file system over `folder`. */
export function createImage(file: string, folder: string, mebibytes: number): Image {
  closeSync(openSync(file, 'w'))
  truncateSync(file, mebibytes * 1_048_576)
  run('mkfs.ext4', '-q', '-F', '-J', 'size=4', file)
  mkdirSync(folder, { recursive: true })
  const device = run('losetup', '--find', '--show', file)
  let mounted = false
  const image: Image = {
    folder,
    mount: () => {
      run('mount', device, folder)
      mounted = true
    },
    unmount: async () => {
      for (let waited = 0; mounted; waited += 20) {
        // busy for as long as a process that was just killed is still going
        try {
          run('umount', folder)
          mounted = false
        } catch (error) {
          if (waited > unmountMs) throw error
          await pause(20)
        }
      }
    },
    dispose: async () => {
      await image.unmount()
      spawnSync('losetup', ['--detach', device])
    },
  }
  try {
    image.mount()
  } catch (error) {
    spawnSync('losetup', ['--detach', device])
    throw error
  }
  return image
}

/** Cuts the power of all these at one moment (within microseconds of each other). */
export function cut(images: readonly Image[]): void {
  run('perl', '-e', shutdown, ...images.map(({ folder }) => folder))
}
