// What correct validators owe each other across views, checked on what they say: nothing prepared is forgotten, nothing that may be final is left out, no view is
// asked for, left or entered without those whom the protocol wants behind it. Written from docs/consensus.md, not from the code.
import type { Message, NewView, ViewChange } from '../../consensus/messages.ts'
import { toHex } from '../../primitives/bytes.ts'
import type { ReplicaStatus } from '../../consensus/report.ts'

interface Vote {
  readonly epoch: number
  readonly view: number
  readonly height: number
  readonly block: string
}

export interface PromisesContext {
  readonly fail: (what: string) => never
  /** Validators that lie: they may stand behind anything. */
  readonly liars: ReadonlySet<number>
  /** By the rule written out anew. `signers` are numbers of validators, which are the same in every set. */
  readonly isQuorum: (epoch: number, signers: ReadonlySet<number>) => boolean
}

const add = <K>(sets: Map<K, Set<number>>, key: K, validator: number): Set<number> => {
  const set = (sets.get(key) ?? new Set()).add(validator)
  sets.set(key, set)
  return set
}

export class Promises {
  readonly #context: PromisesContext
  /** By validator and epoch, then height: the last Commit, which stands on a prepared certificate. */
  readonly #vouched = new Map<string, Map<number, Vote>>()
  readonly #commits = new Map<string, Set<number>>()
  /** Blocks that a quorum may have committed. */
  readonly #maybeFinal = new Map<string, Vote>()
  /** By epoch and view: who has sent its ViewChange. */
  readonly #leaving = new Map<string, Set<number>>()
  /** By validator and epoch: the highest view asked for. */
  readonly #wished = new Map<string, number>()
  readonly #seen = new Map<number, string>()

  constructor(context: PromisesContext) {
    this.#context = context
  }

  #behind(correct: ReadonlySet<number>): ReadonlySet<number> {
    return new Set([...correct, ...this.#context.liars])
  }

  /** A correct validator has said this for the first time. */
  said(validator: number, epoch: number, message: Message): void {
    switch (message.type) {
      case 'commit': {
        const vote = { epoch, view: message.view, height: message.height, block: toHex(message.blockHash) }
        const key = `${validator} ${epoch}`
        const heights = this.#vouched.get(key) ?? new Map<number, Vote>()
        const before = heights.get(vote.height)
        if (before === undefined || before.view < vote.view) heights.set(vote.height, vote)
        this.#vouched.set(key, heights)
        const place = `${epoch} ${vote.view} ${vote.height} ${vote.block}`
        if (this.#context.isQuorum(epoch, this.#behind(add(this.#commits, place, validator)))) this.#maybeFinal.set(place, vote)
        return
      }
      case 'view-change':
        this.#leaves(validator, message)
        return
      case 'status':
        this.#wishes(validator, message.epoch, message.wish)
        return
      default:
        return
    }
  }

  #wishes(validator: number, epoch: number, view: number): void {
    const key = `${validator} ${epoch}`
    this.#wished.set(key, Math.max(this.#wished.get(key) ?? 0, view))
  }

  #whoWished(epoch: number, view: number): Set<number> {
    const out = new Set<number>()
    for (const [key, wish] of this.#wished) {
      const [validator, of] = key.split(' ').map(Number)
      if (of === epoch && wish >= view) out.add(validator as number)
    }
    return out
  }

  #leaves(validator: number, { epoch, view, base, prepared }: ViewChange): void {
    const { fail, isQuorum } = this.#context
    this.#wishes(validator, epoch, view)
    if (!isQuorum(epoch, this.#behind(this.#whoWished(epoch, view)))) fail(`validator ${validator} leaves for view ${view} although no quorum asks for it`)
    add(this.#leaving, `${epoch} ${view}`, validator)
    for (const vote of this.#vouched.get(`${validator} ${epoch}`)?.values() ?? []) {
      if (vote.view >= view) continue
      const isCovered =
        (base !== undefined && (base.header.height >= vote.height || base.certificate.view > vote.view)) ||
        prepared.some(({ certificate }) => (certificate.height === vote.height && certificate.view >= vote.view) || (certificate.height <= vote.height && certificate.view > vote.view))
      if (!isCovered) fail(`validator ${validator} has committed to ${vote.block.slice(0, 6)} at ${vote.height} in view ${vote.view}, and its ViewChange to ${view} says nothing of it`)
    }
  }

  /** Its primary, correct, opens a view; its own ViewChange may have come no further than its disk. */
  opens(validator: number, message: NewView): void {
    add(this.#leaving, `${message.epoch} ${message.view}`, validator)
    const base = Math.max(message.epoch - 1, ...message.viewChanges.map((one) => one.base?.header.height ?? 0))
    for (const { epoch, view, height, block } of this.#maybeFinal.values()) {
      if (epoch !== message.epoch || view >= message.view || height <= base) continue
      const adopted = message.adopted[height - base - 1]
      if (adopted === undefined || toHex(adopted.blockHash) !== block) this.#context.fail(`view ${message.view} begins without ${block.slice(0, 6)} at ${height}, which may be final in view ${view}`)
    }
  }

  /** A correct validator after a step. `node` tells lives and machines apart. */
  stands(node: number, validator: number, { epoch, view, mode, wish, index }: ReplicaStatus): void {
    const stand = `${epoch} ${view} ${mode} ${wish}`
    if (index === undefined || this.#seen.get(node) === stand) return
    const { fail, isQuorum } = this.#context
    const isFirst = !this.#seen.has(node)
    this.#seen.set(node, stand)
    // Its primary may have left for it in the same step, and is about to say so.
    if (mode === 'normal' && view > 0 && !isQuorum(epoch, this.#behind(new Set([validator, ...(this.#leaving.get(`${epoch} ${view}`) ?? [])])))) fail(`validator ${validator} is in view ${view} although no quorum has left for it`)
    // Its own reasons make it ask for the next view only; or for the one after a view that others have left for.
    if (!isFirst && wish > view + 1) {
      const others = this.#whoWished(epoch, wish - 1)
      others.delete(validator)
      if (others.size === 0) fail(`validator ${validator} asks for view ${wish} from view ${view}, and no other correct one does`)
    }
    this.#wishes(validator, epoch, wish)
  }

  restarted(node: number): void {
    this.#seen.delete(node)
  }
}
