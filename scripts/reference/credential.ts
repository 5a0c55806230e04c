// The credential family, as docs/transactions.md describes it.
import type { ChapterReference, KindReference } from './chapter.ts'

const issuer = 'An issuer for every scope (role `issuer`, scope `*`), or one that has registered for the scope that it holds still.'
const acting = ['credential/issuer-not-registered', 'credential/not-issuer'] as const
const roles = 'reads 1 to 3 roles and the registration'

const kinds: Readonly<Record<string, KindReference>> = {
  'credential.registerIssuer': {
    who: 'A holder of the role `issuer` for the scope named. Sent again, it replaces what it said.',
    rules: ['credential/not-issuer'],
    events: ['credential.issuerRegistered'],
    cost: 'reads 2 roles and the registration, writes the registration.',
  },
  'credential.registerSchema': {
    who: issuer,
    rules: [...acting, 'credential/schema-exists', 'credential/schema-version-gap'],
    events: ['credential.schemaRegistered'],
    cost: `${roles}; writes the version and the number of the latest.`,
  },
  'credential.anchor': {
    who: issuer,
    rules: [...acting, 'for each: `credential/anchor-exists`'],
    events: ['credential.anchored'],
    cost: `${roles}; for each of up to 500 hashes reads and writes a row.`,
  },
  'credential.setStatus': {
    who: `${issuer} The first use of a list’s name makes the list, and makes it the sender’s.`,
    rules: [...acting, 'with `status` false for a revocation: `credential/revocation-final`', 'credential/list-of-other', 'credential/list-purpose', 'credential/status-unchanged'],
    events: ['credential.statusSet'],
    cost: `${roles}; reads the list, writes it once; for each of up to 64 kilobytes that the indexes touch, reads and writes the kilobyte.`,
  },
}

export const credentialReference: ChapterReference = {
  family: 'credential',
  intro:
    'Who issues, by which schemas, salted hashes, and bits that say "withdrawn"; the credentials stay with their holders. [credentials.md](credentials.md) explains them. Indexes are ascending and distinct; none at all makes a list without a bit set.',
  kinds,
  byOthers:
    'An attestation that `points.apply` or `reservation.reserve` carries is looked at in this order: `credential/attestation-purpose` · `credential/attestation-subject` · `credential/attestation-expired` · `credential/attestation-issuer` (the role, for the programme or course, at the time of the block) · ' +
    '`credential/attestation-key` (an assertionMethod key of the issuer’s DID now) · `credential/attestation-withdrawn` (the bit is set, or the list is not the issuer’s) · `credential/attestation-signature`. It costs 2 roles, the issuer’s DID, a list and a kilobyte if it has a status, and a signature to verify.',
}
