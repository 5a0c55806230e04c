// The did family, as docs/transactions.md describes it.
import type { ChapterReference, KindReference } from './chapter.ts'

const registrar = 'a registrar (role `registrar`, scope `*`)'
const version = 'writes the DID and a row of its history'
const gone = ['did/not-registered', 'did/deactivated'] as const

const kinds: Readonly<Record<string, KindReference>> = {
  'did.register': {
    who: `Whoever holds a first key, countersigned by ${registrar}. The sender is the DID that those keys make; the envelope leaves the sender’s key to the rules here.`,
    rules: ['did/not-self-certifying', 'did/already-registered', 'did/key-not-listed', 'did/recovery-key-exposed', 'did/registrar-missing'],
    events: ['did.registered'],
    cost: 'reads the DID, and the DID and 2 roles of each countersigner; writes the DID.',
  },
  'did.update': {
    who: 'The DID itself, by an authentication key.',
    rules: ['did/version-conflict', 'did/version-limit', 'did/recovery-already-set', 'did/recovery-key-exposed', 'with `fromHeight`: `did/height-not-ahead`', 'did/height-full'],
    events: ['did.updated', 'did.scheduled'],
    cost: `${version}; with \`fromHeight\`, the change and the list of its height, and those of a change that it replaces.`,
  },
  'did.recover': {
    who: 'Whoever holds the recovery key, which signs as the sender and is used up.',
    rules: [...gone, 'did/no-recovery-key', 'did/recovery-key-wrong', 'did/recovery-key-reused', 'did/recovery-key-exposed', 'did/version-limit'],
    events: ['did.recovered'],
    cost: `${version}; removes what was scheduled, and what was asked for unless that is firm.`,
  },
  'did.requestRecovery': {
    who: `A registrar (role \`registrar\`, scope \`*\`), for a DID that is neither a governor nor holds a role over every scope. Countersigned by another registrar it is firm: it waits twice as long, and only registrars can stop it.`,
    rules: ['did/not-registrar', ...gone, 'did/holds-office', 'did/recovery-requested', 'did/recovery-key-exposed'],
    events: ['did.recoveryRequested'],
    cost: 'reads the DID, its organisations and 8 roles, the request, the parameters, 2 roles of each countersigner; writes the request. Nothing of the DID changes.',
  },
  'did.stopRecovery': {
    who: 'The DID itself, by an authentication key, unless the request is firm; or a registrar.',
    rules: ['did/not-registrar', 'did/no-recovery-request', 'of a firm request: `did/recovery-firm`'],
    events: ['did.recoveryStopped'],
    cost: 'removes the request.',
  },
  'did.completeRecovery': {
    who: 'Whoever holds an authentication key of the request, which signs as the sender; from `readyMs` to `untilMs` of the request.',
    rules: [...gone, 'did/no-recovery-request', 'did/key-not-listed', 'did/recovery-waiting', 'did/version-limit'],
    events: ['did.recovered'],
    cost: `${version}; removes the request and what was scheduled.`,
  },
  'did.deactivate': {
    who: 'Whoever holds the recovery key; where none is committed, the DID itself by an authentication key. For good.',
    rules: [...gone, 'where a recovery key is committed: `did/recovery-key-needed`', 'else: `did/key-not-authorised`', 'did/holds-governor'],
    events: ['did.deactivated'],
    cost: `${version}; removes what was scheduled or asked for.`,
  },
}

export const didReference: ChapterReference = {
  family: 'did',
  intro:
    'Decentralised identifiers: who signs. [did.md](did.md) explains them. `keys[].key` is a Multikey: Ed25519 or P-256, which sign, or X25519, for `keyAgreement` alone; keys are distinct, one at least has `authentication`, their relationships stand in the order of the table, ' +
    'an Ed25519 key has no `keyAgreement`. Services have distinct ids. `recovery` is the hash of a recovery key, which is kept apart and never listed. `did.update`, `did.recover` and a completed recovery replace keys and services as a whole.',
  kinds,
  byItself: 'Before its transactions a block carries out the changes that were scheduled for its height, at most 64 (`did.updated` in the block’s own outcome). Each costs what an update costs.',
}
