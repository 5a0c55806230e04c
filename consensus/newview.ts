// The choice of a new view: from a quorum of ViewChanges to the chain that the new primary must propose anew (paper, section 4.4, the
// computation of min-s and O; here for slots that form a chain). Pure, and recomputed by everyone who receives a NewView.
//
// The base is the highest final block shown. Onto it goes the certificate of the greatest (view, height) that extends it, with its ancestors;
// then, again and again, the certificate of the greatest (view, height) among the higher ones that extend what is chosen so far.
// A single pass would lose blocks: a replica that re-prepared only the beginning of a chain in a later view has the certificate of the greatest
// view, while a block that was committed further up is prepared in an earlier view only. docs/consensus.md proves that the repetition keeps it.
import type { View } from '../primitives/brand.ts'
import { compareBytes, equalBytes, toHex } from '../primitives/bytes.ts'
import { blockHash, refOf, type BlockHeader, type BlockRef } from './block.ts'
import type { Decision } from './certificate.ts'
import type { ViewChange } from './messages.ts'

export interface Choice {
  /** What the chain stands on; `decision` is undefined for the genesis. */
  readonly base: BlockRef
  readonly decision: Decision | undefined
  readonly adopted: readonly BlockHeader[]
}

interface Candidate {
  readonly view: View
  readonly header: BlockHeader
}

function isGreater(a: Candidate, b: Candidate): boolean {
  if (a.view !== b.view) return a.view > b.view
  if (a.header.height !== b.header.height) return a.header.height > b.header.height
  // Two certificates for one (view, height) are for one block unless more than f lie; even then all choose alike.
  return compareBytes(blockHash(a.header), blockHash(b.header)) > 0
}

/** The blocks above `head` up to and with `header`, lowest first; undefined when `header` does not extend `head`. */
function pathTo(header: BlockHeader, head: BlockRef, headers: ReadonlyMap<string, BlockHeader>): BlockHeader[] | undefined {
  const path: BlockHeader[] = []
  let at: BlockHeader | undefined = header
  while (at !== undefined && at.height > head.height) {
    path.unshift(at)
    if (at.height === head.height + 1) return equalBytes(at.parent, head.hash) ? path : undefined
    at = headers.get(toHex(at.parent))
  }
  return undefined
}

/** `viewChanges` have been checked by verification.ts: final bases, and on each a chain of prepared blocks. Their order does not matter. */
export function chooseChain(viewChanges: readonly ViewChange[], genesis: BlockRef): Choice {
  let decision: Decision | undefined
  const candidates: Candidate[] = []
  const headers = new Map<string, BlockHeader>()
  for (const { base, prepared } of viewChanges) {
    if (base !== undefined && (decision === undefined || base.header.height > decision.header.height)) decision = base
    for (const { header, certificate } of prepared) {
      candidates.push({ view: certificate.view, header })
      headers.set(toHex(blockHash(header)), header)
    }
  }
  const base = decision === undefined ? genesis : refOf(decision.header)

  const adopted: BlockHeader[] = []
  let head = base
  for (;;) {
    let best: { readonly candidate: Candidate; readonly path: BlockHeader[] } | undefined
    for (const candidate of candidates) {
      if (candidate.header.height <= head.height || (best !== undefined && !isGreater(candidate, best.candidate))) continue
      const path = pathTo(candidate.header, head, headers)
      if (path !== undefined) best = { candidate, path }
    }
    if (best === undefined) return { base, decision, adopted }
    adopted.push(...best.path)
    head = refOf(best.candidate.header)
  }
}
