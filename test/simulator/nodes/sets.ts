// Changes of the validator set during a run, as a city makes them: its governors propose and vote, by transactions. A set never has more liars and members that do not vote yet than it
// can miss; within that anybody is added, removed, or replaced by a spare node, and minimums rise and fall.
import type { Epoch, ValidatorSet } from '../../../consensus/validators.ts'
import { faultsTolerated } from '../../../consensus/quorum.ts'
import type { TimeMs } from '../../../primitives/brand.ts'
import { equalBytes, toHex } from '../../../primitives/bytes.ts'
import { propose } from '../../../state/governance/propose.ts'
import { changeSet } from '../../../state/governance/set-changes.ts'
import type { ValidatorChange } from '../../../state/governance/types.ts'
import { vote } from '../../../state/governance/vote.ts'
import type { Receipt } from '../../../state/receipt.ts'
import { epochMs } from './clock.ts'
import type { WholeNode } from './node.ts'
import type { NodesWorld } from './world.ts'

const organisations = ['busan', 'bnk']
/** Blocks must go by for a set to come into force. */
const loadEveryMs = [50, 250] as const

export class SetChanges {
  readonly #world: NodesWorld
  readonly isOn: boolean
  #proposed: ValidatorSet | undefined
  /** The people's governors have not decided yet. */
  #isVoted = false
  #over = false

  constructor(world: NodesWorld, isOn: boolean) {
    this.#world = world
    this.isOn = isOn
  }

  /** The set in force, the scheduled one, and what is voted on. */
  get #live(): readonly ValidatorSet[] {
    const { checker } = this.#world
    return [...checker.epochsFrom(checker.history.length + 1).map(({ set }) => set), ...(this.#proposed === undefined ? [] : [this.#proposed])]
  }

  isMember(node: WholeNode): boolean {
    return this.#live.some((set) => includes(set, node))
  }

  /** How many members more may lie or not vote. */
  get room(): number {
    return Math.min(...this.#live.map((set) => toleratedBy(set) - this.#missingIn(set).length))
  }

  /** A set is agreed on and not in force yet. */
  get isPending(): boolean {
    const { checker } = this.#world
    return this.isOn && checker.epochsFrom(checker.history.length + 1).length > 1
  }

  plan(endMs: number): void {
    if (!this.isOn) return
    const { random, kernel } = this.#world
    kernel.at(random.between(50, endMs / 3), () => this.#next())
    this.#load()
  }

  /** No further change is begun. */
  heal(): void {
    this.#over = true
  }

  #load(): void {
    const { random, kernel, client } = this.#world
    if (this.#over && !this.isPending && !this.#isVoted) return
    if (client.open < 12) client.register()
    kernel.after(random.between(...loadEveryMs), () => this.#load())
  }

  #missingIn(set: ValidatorSet): readonly WholeNode[] {
    return this.#world.machines.filter((node) => includes(set, node) && node.isMissing)
  }

  #next(): void {
    const { random, kernel, checker, client, keys, faults } = this.#world
    if (this.#over) return
    this.#proposed = undefined
    const again = (): void => kernel.after(random.between(100, 400), () => this.#next())
    const before = checker.epochsFrom(checker.history.length + 1)
    const drawn = before.length > 1 ? undefined : this.#draw(before[0] as Epoch)
    if (drawn === undefined) {
      again()
      return
    }
    const { changes, newcomer, set } = drawn
    this.#proposed = set
    // as long as it has not said that it votes it may be missing
    if (newcomer !== undefined) newcomer.amnesiac = true
    faults.count('sets')
    this.#world.trace('people', () => `want another set: ${changes.map((change) => `${change.type} ${'name' in change ? change.name : `${change.organisation} ${change.minimum}`}`).join(', ')}`)
    const [first, second] = ['governor-busan', 'governor-bnk'].map(keys.of) as [ReturnType<typeof keys.of>, ReturnType<typeof keys.of>]
    const validForMs = 600_000
    const decided = (): void => {
      this.#isVoted = false
      again()
    }
    this.#isVoted = true
    client.order(propose, first, { action: { type: 'changeValidators', changes }, expiresMs: Math.floor(epochMs + kernel.nowMs + validForMs) as TimeMs }, {
      validForMs,
      answered: (receipt) => {
        const proposal = proposalOf(receipt)
        if (proposal === undefined) {
          decided()
          return
        }
        let left = 2
        for (const governor of [first, second]) client.order(vote, governor, { proposal, vote: 'yes' }, { validForMs, answered: () => --left === 0 && decided() })
      },
    })
  }

  #draw({ set }: Epoch): { readonly changes: readonly ValidatorChange[]; readonly newcomer: WholeNode | undefined; readonly set: ValidatorSet } | undefined {
    const { random, machines } = this.#world
    const spare = random.shuffled(machines.filter((node) => node.isCorrect && !includes(set, node)))[0]
    const member = random.pick(set.validators)
    const organisation = random.pick(organisations)
    const candidates: readonly (readonly ValidatorChange[])[] = [
      ...(spare === undefined ? [] : [[{ type: 'add' as const, name: spare.name, organisation, publicKey: spare.actor.publicKey, addresses: ['127.0.0.1:19999'] }], [{ type: 'replaceKey' as const, name: member.name, publicKey: spare.actor.publicKey }]]),
      [{ type: 'remove', name: member.name }],
      [{ type: 'setMinimum', organisation, minimum: 1 + random.below(2) }],
    ]
    const changes = random.pick(candidates)
    const before = { validators: set.validators.map((one) => ({ ...one, addresses: [] })), minimums: set.minimums }
    const after = changeSet(before, changes, organisations)
    if ('code' in after) return undefined
    const next: ValidatorSet = { validators: after.validators.map(({ name, organisation: of, publicKey }) => ({ name, organisation: of, publicKey })), minimums: after.minimums }
    const newcomer = spare !== undefined && includes(next, spare) ? spare : undefined
    const missing = new Set([...this.#missingIn(next), ...(newcomer === undefined ? [] : [newcomer])].map(({ id }) => id))
    return missing.size > toleratedBy(next) ? undefined : { changes, newcomer, set: next }
  }
}

function includes(set: ValidatorSet, { actor }: WholeNode): boolean {
  return set.validators.some((one) => equalBytes(one.publicKey, actor.publicKey))
}

function toleratedBy({ validators, minimums }: ValidatorSet): number {
  return Math.min(faultsTolerated(validators.length), ...minimums.map(({ organisation, minimum }) => validators.filter((one) => one.organisation === organisation).length - minimum))
}

function proposalOf({ events }: Receipt): number | undefined {
  const opened = events.find(({ type }) => type === 'governance.proposed') as { readonly proposal?: number } | undefined
  return opened?.proposal
}

/** Of an epoch, for comparisons. */
export function describeSet({ validators, minimums }: ValidatorSet): string {
  return `${validators.map(({ name, publicKey }) => `${name} ${toHex(publicKey).slice(0, 6)}`).join(', ')}; ${minimums.map(({ organisation, minimum }) => `${organisation} ${minimum}`).join(', ')}`
}
