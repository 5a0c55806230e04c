// What the Verifiable Credentials Data Model 2.0 asks of the form of a credential and of a presentation, statement by statement, as far as a verifier without JSON-LD can decide it. Where more
// could be there than is read here (several subjects), the statement asks for less. docs/credentials.md lists them by these names.
import { DongbaekError } from '../../../primitives/errors.ts'
import type { Json, JsonObject } from '../../../primitives/schema.ts'
import { isObject } from './proof.ts'
import { msOf } from './time.ts'

export const credentialsContext = 'https://www.w3.org/ns/credentials/v2'

type Statements = Readonly<Record<string, (document: JsonObject) => boolean>>
type Value = Json | undefined

const isUrl = (value: Value): value is string => typeof value === 'string' && /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(value)
const mayBe = (is: (value: Value) => boolean) => (value: Value): boolean => value === undefined || is(value)
/** One value, or a set of them. */
const listOf = (value: Value): readonly Json[] => (value === undefined ? [] : Array.isArray(value) ? (value as readonly Json[]) : [value])
const isType = (value: Value): boolean => listOf(value).length > 0 && listOf(value).every((one) => isUrl(one) || (typeof one === 'string' && /^[A-Za-z][A-Za-z0-9_-]*$/.test(one)))
/** An object or a set of them, if any; none is left out by being an empty set. */
const each = (value: Value, holds: (item: JsonObject) => boolean): boolean => value === undefined || (listOf(value).length > 0 && listOf(value).every((item) => isObject(item) && holds(item)))
const isTyped = ({ id, type }: JsonObject): boolean => isType(type) && mayBe(isUrl)(id)
/** A string, or what says its language beside it, or a set of these. */
const isLanguageText = (value: Value): boolean =>
  listOf(value).length > 0 &&
  listOf(value).every((one) => typeof one === 'string' || (isObject(one) && typeof one['@value'] === 'string' && Object.entries(one).every(([name, text]) => ['@value', '@language', '@direction'].includes(name) && typeof text === 'string')))
const isNamed = ({ name, description }: JsonObject): boolean => mayBe(isLanguageText)(name) && mayBe(isLanguageText)(description)
const isParty = (value: Value): boolean => isUrl(isObject(value) ? value['id'] : value)
const isTime = (value: Value): boolean => msOf(value) !== undefined
const isResource = (item: JsonObject): boolean => isUrl(item['id']) && ['digestSRI', 'digestMultibase'].some((name) => item[name] !== undefined) && ['digestSRI', 'digestMultibase'].every((name) => mayBe((value) => typeof value === 'string')(item[name]))

const ofBoth: Statements = {
  'vc-4.3 @context begins with that of credentials': ({ '@context': context }) => Array.isArray(context) && context[0] === credentialsContext,
  'vc-4.3 @context holds URLs and maps': ({ '@context': context }) => listOf(context).every((one) => isUrl(one) || isObject(one)),
  'vc-4.4 id, if any, is one URL': ({ id }) => mayBe(isUrl)(id),
  'vc-5.5 each termsOfUse has a type, and a URL as id, if any': ({ termsOfUse }) => each(termsOfUse, isTyped),
}

export const credentialStatements: Statements = {
  ...ofBoth,
  'vc-4.5 type is there and holds terms or URLs, VerifiableCredential among them': ({ type }) => isType(type) && listOf(type).includes('VerifiableCredential'),
  'vc-4.6 name and description, of the credential and of its issuer, are texts': (credential) => isNamed(credential) && (!isObject(credential['issuer']) || isNamed(credential['issuer'])),
  'vc-4.7 issuer is a URL, or a map with one as id': ({ issuer }) => isParty(issuer),
  'vc-4.8 credentialSubject is one map with claims, and a URL as id, if any': ({ credentialSubject: subject }) => isObject(subject) && Object.keys(subject).length > 0 && mayBe(isUrl)(subject['id']),
  'vc-4.9 validFrom and validUntil, if any, are datetimes with an offset': ({ validFrom, validUntil }) => mayBe(isTime)(validFrom) && mayBe(isTime)(validUntil),
  'vc-4.9 validFrom is not after validUntil': ({ validFrom, validUntil }) => (msOf(validFrom) ?? 0) <= (msOf(validUntil) ?? Number.MAX_SAFE_INTEGER),
  'vc-4.10 each credentialStatus has a type, and a URL as id, if any': ({ credentialStatus }) => each(credentialStatus, isTyped),
  'vc-4.11 each credentialSchema has a type and a URL as id': ({ credentialSchema }) => each(credentialSchema, (item) => isType(item['type']) && isUrl(item['id'])),
  'vc-5.3 each relatedResource has a URL of its own and a digest': ({ relatedResource }) => each(relatedResource, isResource) && new Set(listOf(relatedResource).map((item) => (isObject(item) ? item['id'] : item))).size === listOf(relatedResource).length,
  'vc-5.4 each refreshService has a type, and a URL as id, if any': ({ refreshService }) => each(refreshService, isTyped),
  'vc-5.6 each evidence has a type, and a URL as id, if any': ({ evidence }) => each(evidence, isTyped),
}

export const presentationStatements: Statements = {
  ...ofBoth,
  'vc-4.13 type is there and holds terms or URLs, VerifiablePresentation among them': ({ type }) => isType(type) && listOf(type).includes('VerifiablePresentation'),
  'vc-4.13 holder is a URL, or a map with one as id': ({ holder }) => isParty(holder),
  'vc-4.13 each verifiableCredential is a map': ({ verifiableCredential }) => each(verifiableCredential, () => true),
}

/** Throws `vc/malformed` with the statement that is broken. */
export function checkForm(document: JsonObject, statements: Statements): void {
  for (const [statement, holds] of Object.entries(statements)) if (!holds(document)) throw new DongbaekError('vc/malformed', `the document does not hold to: ${statement}`, { statement })
}
