// Where passphrases come from: the environment, a file, or the terminal. Never an argument: those stand in every process list.
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { DongbaekError } from '../../primitives/errors.ts'
import { readPassphrase } from '../keystore.ts'

/** The passphrase of an existing keystore. */
export async function existingPassphrase(file: string | undefined, question: string): Promise<string> {
  if (file !== undefined || process.env['DONGBAEK_PASSPHRASE'] !== undefined || !process.stdin.isTTY) return readPassphrase(file)
  return ask(question)
}

/** A passphrase to be set: asked for twice at a terminal. */
export async function newPassphrase(file: string | undefined, question: string): Promise<string> {
  if (file !== undefined || process.env['DONGBAEK_PASSPHRASE'] !== undefined || !process.stdin.isTTY) return readPassphrase(file)
  const first = await ask(question)
  if ((await ask('The same again: ')) !== first) throw new DongbaekError('keystore/passphrase-differs', 'the two passphrases differ, and nothing was written. Run the command again')
  return first
}

/** A line from the terminal that is not shown. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: process.stdin, output: unseen, terminal: true })
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once('line', resolve)
      reader.once('SIGINT', () => reject(new DongbaekError('cli/cancelled', 'cancelled; nothing was written')))
      reader.once('close', () => reject(new DongbaekError('cli/cancelled', 'the input ended; nothing was written')))
    })
  } finally {
    reader.close()
    process.stderr.write('\n')
  }
}
