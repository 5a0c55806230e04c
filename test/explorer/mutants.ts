// Whether an exploration finds deliberate bugs (test/simulator/mutants.ts): each within bounds in which it can show, on a broken copy of the sources.
import { inBrokenCopy, mutants } from '../simulator/mutants.ts'
import type { Bounds } from './world.ts'

/** Mutants by name, with the bounds that suffice. */
export const explorable: readonly (Pick<Bounds, 'liar' | 'heights' | 'views' | 'restarts'> & { readonly name: string })[] = [
  { name: 'quorum of one less', liar: 0, heights: 1, views: 1, restarts: 0 },
  { name: 'commit without being prepared', liar: 0, heights: 1, views: 2, restarts: 0 },
  { name: 'prepare and prepared without the parent', liar: 0, heights: 2, views: 2, restarts: 0 },
  { name: 'new view adopts nothing', liar: 0, heights: 1, views: 2, restarts: 0 },
  { name: 'wrong new view is followed', liar: 1, heights: 1, views: 2, restarts: 0 },
  { name: 'a new view needs no quorum', liar: 1, heights: 1, views: 2, restarts: 0 },
  { name: 'votes go on after the view change', liar: 0, heights: 1, views: 2, restarts: 0 },
  { name: 'view change forgets what is prepared', liar: 0, heights: 1, views: 2, restarts: 0 },
  { name: 'accepts a block on any parent', liar: 0, heights: 2, views: 2, restarts: 0 },
  { name: 'prepares of other blocks counted', liar: 0, heights: 1, views: 2, restarts: 0 },
  { name: 'commits of different views counted together', liar: 0, heights: 1, views: 2, restarts: 0 },
  { name: 'prepare votes not persisted', liar: 0, heights: 1, views: 1, restarts: 1 },
  { name: 'proposals not persisted', liar: 3, heights: 1, views: 1, restarts: 1 },
  { name: 'view change not persisted', liar: 0, heights: 1, views: 2, restarts: 1 },
]

export interface Finding {
  readonly name: string
  readonly violation: string | undefined
  readonly states: number
  readonly depth: number
}

/** `states`: give up after so many. */
export function exploreMutant(name: string, states: number): Finding {
  const mutant = mutants.find((one) => one.name === name)
  const known = explorable.find((one) => one.name === name)
  if (mutant === undefined || known === undefined) throw new Error(`there is no mutant "${name}" to explore`)
  return inBrokenCopy(mutant, (_, run) => {
    const { liar, heights, views, restarts } = known
    const { stdout, stderr } = run(['test/explorer/one.ts', JSON.stringify({ bounds: { validators: 4, liar, heights, views, restarts }, states })])
    if (!stdout.startsWith('{')) throw new Error(`the mutant "${name}" does not run:\n${stderr}`)
    const found = JSON.parse(stdout) as { readonly violation?: string; readonly states: number; readonly depth: number }
    return { name, violation: found.violation, states: found.states, depth: found.depth }
  })
}
