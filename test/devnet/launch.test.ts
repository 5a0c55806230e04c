// What every program of ours is started with (scripts/bootstrap.mjs): an engine that does not know a flag would not start at all, and one that is not given it is only slower.
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import t from 'tap'
import { root } from '../../scripts/devnet/options.ts'

t.test('a program is launched with the flags for the engine, the place of compiled code and two arenas', (t) => {
  const at = t.testdir({ 'told.mjs': 'console.log(JSON.stringify([process.execArgv, process.env.NODE_COMPILE_CACHE, process.env.MALLOC_ARENA_MAX, process.argv.slice(2)]))' })
  const { NODE_COMPILE_CACHE: _compiled, MALLOC_ARENA_MAX: _arenas, NODE_OPTIONS: _options, ...env } = process.env
  const launch = `const { launch } = await import(${JSON.stringify(path.join(root, 'scripts/bootstrap.mjs'))}); launch(${JSON.stringify(path.relative(root, path.join(at, 'told.mjs')))}, ['one', 'two'])`
  const told = execFileSync(process.execPath, ['--input-type=module', '--eval', launch], { encoding: 'utf8', env })
  t.same(JSON.parse(told), [['--max-semi-space-size=32', '--concurrent-marking-max-worker-num=1'], path.join(root, 'node_modules/.cache/compiled'), '2', ['one', 'two']])
  t.end()
})
