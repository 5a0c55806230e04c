// Pages of the documentation as programs: the code blocks of a page in order, as the body of one function over what the page begins with.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Did, Won } from '../../primitives/brand.ts'
import type { Wallet } from '../../rpc/client/index.ts'

/** What docs/tutorial.md begins with. */
export interface TutorialNetwork {
  readonly urls: readonly string[]
  /** In hex. */
  readonly genesisHash: string
  readonly seedOf: (office: string) => Uint8Array
  readonly now: () => number
  /** Resolves when the nodes' clocks are past this time. */
  readonly until: (ms: number) => Promise<void>
}

/** What rpc/README.md begins with: a citizen with points, and a shop. */
export interface ClientPage {
  readonly urls: readonly string[]
  readonly seed: Uint8Array
  readonly program: string
  readonly merchant: Did
  readonly amount: Won
}

/** What docs/credentials.md begins with. */
export interface CredentialsPage {
  readonly urls: readonly string[]
  readonly holder: Did
  readonly phoneWallet: Wallet
  readonly issuerWallet: Wallet
  readonly validFromMs: number
  readonly validUntilMs: number
  readonly index: number
  readonly challenge: string
}

const root = path.join(import.meta.dirname, '../..')

/** The blocks of a page, each with the number of its first line in the page. */
export function codeBlocks(page: string): readonly { readonly line: number; readonly code: string }[] {
  return [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((found) => ({ line: page.slice(0, found.index).split('\n').length + 1, code: found[1] as string }))
}

/** A module whose default export runs the page. It has as many lines as the page, so that an error names the page's own line. The client is that of this repository. */
function moduleOf(page: string, begin: string, tell = ''): string {
  const lines = page.split('\n').map(() => '')
  for (const { line, code } of codeBlocks(page)) code.split('\n').forEach((text, i) => (lines[line - 1 + i] = text))
  const text = lines.join('\n').replaceAll(/from '(?:dongbaek\/client|\.\.\/(.*))'/g, (_, file = 'rpc/client/index.ts') => `from '${path.join(root, file as string)}'`)
  const end = text.lastIndexOf('\nimport ')
  const head = text.indexOf('\n', end + 1)
  const imports = text.slice(0, head)
  return `${imports}; import type * as pages from '${path.join(root, 'test/support/pages.ts')}'; export default async function page(${begin}) {${text.slice(head)}\nreturn { ${tell} }\n}\n`
}

export interface Pages {
  /**
   * Makes a program of a page of the repository. `begin`: the parameter of its function, of a type of this file as `pages.…`; `tell`: the names at the page's end that it answers with.
   * `load` gives the function, whose type the caller says as `compile` has checked it.
   */
  readonly write: (file: string, begin: string, tell?: string) => { readonly page: string; readonly load: <Run>() => Promise<Run> }
  /** What the compiler says of all pages written, under the rules of the repository. */
  readonly compile: () => string
  readonly remove: () => void
}

export function createPages(): Pages {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-pages-'))
  const files: string[] = []
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
  return {
    write: (file, begin, tell) => {
      const page = readFileSync(path.join(root, file), 'utf8')
      const program = path.join(folder, `${file.replaceAll(/\W/g, '-')}.ts`)
      writeFileSync(program, moduleOf(page, begin, tell))
      files.push(program)
      return { page, load: async <Run>() => ((await import(pathToFileURL(program).href)) as { readonly default: Run }).default }
    },
    compile: () => {
      const compilerOptions = { typeRoots: [path.join(root, 'node_modules/@types')] }
      writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ extends: path.join(root, 'tsconfig.json'), compilerOptions, include: [], files: [...files, path.join(root, 'primitives/sodium-native.d.ts')] }))
      try {
        // the compiler itself: its launcher is a Node program, into which the test runner puts loaders of its own
        return execFileSync(path.join(root, `node_modules/@typescript/typescript-${process.platform}-${process.arch}/lib/tsc`), ['-p', folder], { encoding: 'utf8' })
      } catch (error) {
        const { stdout, stderr, message } = error as { readonly stdout: string; readonly stderr: string; readonly message: string }
        return `${message}\n${stdout}${stderr}`
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
