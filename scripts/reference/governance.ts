// The governance family, as docs/transactions.md describes it.
import type { ChapterReference, KindReference } from './chapter.ts'

const grant = ['governance/holder-not-active', 'governance/term-past', 'of a governor: `governance/unknown-organisation`', 'governance/already-governor', 'governance/too-many-governors'] as const
const revoke = ['governance/not-held', 'of a governor: `governance/last-governor`'] as const
const outcome = ['governance.roleGranted', 'governance.roleRevoked', 'governance.parametersChanged', 'governance.reservationsSet', 'governance.communitySet', 'governance.validatorSetScheduled', 'governance.validatorAddressesSet', 'governance.ruleSetScheduled', 'governance.familyPaused', 'governance.familyResumed'] as const

const kinds: Readonly<Record<string, KindReference>> = {
  'governance.propose': {
    who: 'A governor (role `governor`, scope its organisation). A proposal is no vote: the proposer votes too. `evidence` goes with `changeValidators` only.',
    rules: ['governance/not-a-governor', 'governance/expiry-out-of-range', 'governance/too-many-open'],
    events: ['governance.proposed'],
    cost: 'reads the organisations, their governors and the open proposals; writes the proposal, their list and their count.',
  },
  'governance.vote': {
    who: 'A governor, once a proposal, while it is open. The vote that gives the proposal more than half of the governors of every organisation executes it; one that makes this impossible in some organisation rejects it.',
    rules: ['governance/not-a-governor', 'governance/unknown-proposal', 'governance/proposal-closed', 'governance/proposal-expired', 'governance/already-voted', 'completing the agreement on `changeValidators` while another change is pending: `governance/set-change-pending`'],
    events: ['governance.voted', 'governance.closed', ...outcome],
    cost: 'reads the organisations and their governors; writes the proposal; when it is decided, the list of open proposals and what the action does; after a change of governors all open proposals, 64 at most, are counted again.',
  },
  'governance.grantRole': {
    who: 'For one named scope: the holder of `officer` over `*` grants `officer` and `merchant`; of `operator` over `*`, `operator`; of `moderator` over `*`, `moderator`. Every other grant takes a proposal. Sent again, it changes the term.',
    rules: ['governance/beyond-reach', ...grant],
    events: ['governance.roleGranted'],
    cost: 'reads a role of the sender and the DID, of a governor the organisations too; writes the role.',
  },
  'governance.revokeRole': {
    who: 'Whoever may grant it; and anybody, for a role of the own DID.',
    rules: ['governance/beyond-reach', ...revoke],
    events: ['governance.roleRevoked', 'governance.closed', ...outcome],
    cost: 'reads a role of the sender, removes the role; of a governor, as governance.vote for each open proposal.',
  },
}

export const governanceReference: ChapterReference = {
  family: 'governance',
  intro:
    'What the organisations decide together, and roles. [governance.md](governance.md) explains it. A proposal is executed by the vote that gives it a majority inside every organisation; an agreed action that is impossible at that moment closes it as `failed`, with the code. A role is for a scope and, but for governors, for a term if one is named. ' +
    'A validator that is added has one address at least. Of a field with variants, `field:variant.name` is the field `name` of that variant, beside its `type`.',
  kinds,
  byItself: 'The block with which a validator set or a rule set takes effect says so (`governance.validatorSetActivated`, `governance.ruleSetActivated`) in its own outcome. Nothing is written: both are looked up by height.',
  byOthers:
    'Codes that a `failed` proposal bears, by its action. Roles: those of governance.grantRole and governance.revokeRole but `governance/beyond-reach`. `changeValidators`, in order: for each change `governance/unknown-organisation` or `governance/unknown-validator`, then `governance/set-size`, `governance/validator-twice`, `governance/validator-key-twice`, ' +
    '`governance/minimum-unreachable`, `governance/set-unchanged`, `governance/set-change-too-large`, `governance/set-one-organisation`. `setAddresses`: `governance/unknown-validator`. `activateRules`: `governance/rules-not-next`, `governance/rules-height`. Pausing: `governance/family-paused`, `governance/family-not-paused`. ' +
    'While a family is paused the envelope refuses its transactions.',
}
