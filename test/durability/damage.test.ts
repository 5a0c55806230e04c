// Damaged, truncated, deleted, outdated and swapped files: a seeded part of npm run durability -- --cases. Nothing may be served silently.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { freeBasePort } from '../../scripts/devnet/ports.ts'
import { countOf, isFailure, lineOf, runCases, tableOf } from '../../scripts/durability/cases.ts'
import { makeMaterial } from '../../scripts/durability/material.ts'

const cases = 60
const seed = 2_026

t.test('sixty cases of damage', { timeout: 400_000 }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-damage-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  await makeMaterial(folder, await freeBasePort())
  const judged = await runCases({ folder, count: cases, seed, onCase: () => {} })
  t.equal(judged.length, cases)
  t.strictSame(judged.filter(isFailure).map(lineOf), [], 'nothing is served silently, and every refusal is one of ours')
  t.strictSame(judged.flatMap(({ fault, sentence }) => (fault === undefined ? [] : [`${fault}: ${sentence ?? ''}`])), [], 'each with the file and the way out')
  t.ok(countOf(judged, 'refused at start') > cases / 4, 'damage was done, and noticed')
  t.comment(tableOf(judged))

  await t.test('two of them as real nodes among undamaged ones', async (t) => {
    const wanted = [
      judged.find(({ kind, outcome }) => kind === 'level log' && outcome === 'repaired'),
      judged.find(({ kind, outcome }) => kind === 'table' && outcome === 'refused at start'),
    ]
    for (const one of wanted) {
      if (one === undefined) {
        t.fail('the seed has no such case')
        continue
      }
      const [again] = await runCases({ folder, count: cases, seed, only: one.number, amongPeers: true, onCase: () => {} })
      t.equal(again?.outcome, one.outcome, again === undefined ? '' : lineOf(again))
    }
  })
})
