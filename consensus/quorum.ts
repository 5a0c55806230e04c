// Quorums for any number of validators, pure. PBFT's 2f+1 holds for n = 3f+1 only; with q = ⌈(n+f+1)/2⌉ two quorums share at least f+1
// validators, so one correct, for every n. Organisation minimums come on top and only ever make certificates harder to get.
import type { ValidatorSet } from './validators.ts'

/** f: how many of n may be faulty. */
export function faultsTolerated(n: number): number {
  return Math.floor((n - 1) / 3)
}

/** q: two sets of q out of n share at least f + 1. Never more than n − f, so the correct ones suffice. */
export function quorumSize(n: number): number {
  return Math.ceil((n + faultsTolerated(n) + 1) / 2)
}

/** f + 1: at least one of them is correct. */
export function weakQuorumSize(n: number): number {
  return faultsTolerated(n) + 1
}

/** Whether the validators with these indexes form a quorum: enough of them in all, and of each organisation its minimum. */
export function isQuorum(set: ValidatorSet, signers: ReadonlySet<number>): boolean {
  return signers.size >= quorumSize(set.validators.length) && minimumsMet(set, signers)
}

export function minimumsMet(set: ValidatorSet, signers: ReadonlySet<number>): boolean {
  return set.minimums.every(({ organisation, minimum }) => {
    let present = 0
    for (const signer of signers) if (set.validators[signer]?.organisation === organisation) present++
    return present >= minimum
  })
}
