// The statements of DID Core 1.0 and DID Resolution (Candidate Recommendation of 2026) that a resolution result alone decides. docs/did.md lists them by these names.
export type Value = null | boolean | number | string | readonly Value[] | { readonly [name: string]: Value }
type Map = { readonly [name: string]: Value }

const isMap = (value: Value | undefined): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: Value | undefined): value is string => typeof value === 'string'
const isTime = (value: Value | undefined): boolean => isText(value) && datetime.test(value)
const isErrorUri = (value: Value | undefined): boolean => isText(value) && /^https:\/\/www\.w3\.org\/ns\/did#[A-Z_]+$/.test(value)
const listOf = (value: Value | undefined): readonly Value[] => (Array.isArray(value) ? (value as readonly Value[]) : [])
const relationships = ['authentication', 'assertionMethod', 'keyAgreement', 'capabilityInvocation', 'capabilityDelegation']

// the grammars of DID Core, section 3, and of RFC 3986, written down anew
const did = /^did:[a-z0-9]+:([A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+(:([A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+)*$/
const didUrl = /^did:[a-z0-9]+:[A-Za-z0-9._:%-]+(\/[!-"$->@-~]*)?(\?[!-"$-~]*)?(#[!-"$-~]*)?$/
const url = /^[a-z][a-z0-9+.-]*:[!-~]+$/
const base58 = /^z[1-9A-HJ-NP-Za-km-z]+$/
const datetime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const mediaTypes = ['application/did', 'application/did+json', 'application/did+ld+json']

const distinct = (values: readonly Value[]): boolean => new Set(values.map((value) => JSON.stringify(value))).size === values.length
const methodsOf = (document: Map): readonly Map[] => listOf(document['verificationMethod']).filter(isMap)
const servicesOf = (document: Map): readonly Map[] => listOf(document['service']).filter(isMap)

/** Of a document. */
export const documentStatements: Readonly<Record<string, (document: Map, subject: string) => boolean>> = {
  'core-3.1 the DID has the form of a DID': (_, subject) => did.test(subject),
  'core-5.1.1 id is there, a string, a DID': ({ id }) => isText(id) && did.test(id),
  'core-5.1.1 id is the DID that was resolved': ({ id }, subject) => id === subject,
  'core-4 every property is a value of the data model, and none is null': (document) => Object.values(document).every((value) => value !== null && (isText(value) || Array.isArray(value) || isMap(value))),
  'core-5.1.2 controller, if any, is a DID or a set of DIDs': ({ controller }) => controller === undefined || (isText(controller) ? did.test(controller) : listOf(controller).every((one) => isText(one) && did.test(one))),
  'core-5.2 verificationMethod is a set of maps': ({ verificationMethod }) => verificationMethod === undefined || (Array.isArray(verificationMethod) && distinct(verificationMethod) && listOf(verificationMethod).every(isMap)),
  'core-5.2 each method has id, type and controller': (document) => methodsOf(document).every((method) => ['id', 'type', 'controller'].every((name) => isText(method[name]))),
  'core-5.2 the id of a method is a DID URL': (document) => methodsOf(document).every(({ id }) => isText(id) && didUrl.test(id)),
  'core-5.2 the controller of a method is a DID': (document) => methodsOf(document).every(({ controller }) => isText(controller) && did.test(controller)),
  'core-5.2 no two methods have one id': (document) => distinct(methodsOf(document).map(({ id }) => id as Value)),
  'core-5.2.1 each method has its material once': (document) => methodsOf(document).every((method) => ['publicKeyJwk', 'publicKeyMultibase'].filter((name) => method[name] !== undefined).length === 1),
  'core-5.2.1 publicKeyMultibase is a multibase string': (document) => methodsOf(document).every(({ publicKeyMultibase }) => isText(publicKeyMultibase) && base58.test(publicKeyMultibase)),
  'core-5.3 each relationship is a set of one or more methods': (document) => relationships.every((name) => document[name] === undefined || (listOf(document[name]).length > 0 && distinct(listOf(document[name])))),
  'core-5.3 each method of a relationship is a map or a DID URL': (document) => relationships.every((name) => listOf(document[name]).every((one) => isMap(one) || (isText(one) && didUrl.test(one)))),
  'core-5.2.2 a method that is referred to is in the document': (document) => relationships.every((name) => listOf(document[name]).every((one) => !isText(one) || methodsOf(document).some(({ id }) => id === one))),
  'core-5.4 service is a set of maps': ({ service }) => service === undefined || (Array.isArray(service) && distinct(service) && listOf(service).every(isMap)),
  'core-5.4 each service has id, type and serviceEndpoint': (document) => servicesOf(document).every((service) => ['id', 'type', 'serviceEndpoint'].every((name) => service[name] !== undefined)),
  'core-5.4 the id of a service is a URI': (document) => servicesOf(document).every(({ id }) => isText(id) && url.test(id)),
  'core-5.4 no two services have one id': (document) => distinct(servicesOf(document).map(({ id }) => id as Value)),
  'core-5.4 the type of a service is a string or a set of strings': (document) => servicesOf(document).every(({ type }) => isText(type) || (listOf(type).length > 0 && listOf(type).every(isText))),
  'core-5.4 a serviceEndpoint that is a string is a URI': (document) => servicesOf(document).every(({ serviceEndpoint }) => !isText(serviceEndpoint) || (url.test(serviceEndpoint) && URL.canParse(serviceEndpoint))),
  'core-6.3 @context begins with that of DIDs': (document) => listOf(document['@context'])[0] === 'https://www.w3.org/ns/did/v1',
  'core-6.3 @context holds URIs or maps': (document) => listOf(document['@context']).every((one) => isMap(one) || (isText(one) && url.test(one))),
  'core-6 the document survives JSON': (document) => JSON.stringify(JSON.parse(JSON.stringify(document))) === JSON.stringify(document),
}

/** Of a result that is no error. */
export const resultStatements: Readonly<Record<string, (result: Map, subject: string) => boolean>> = {
  'res-4 the three structures are there': ({ didResolutionMetadata, didDocument, didDocumentMetadata }) => isMap(didResolutionMetadata) && didDocument !== undefined && isMap(didDocumentMetadata),
  'res-4.2 no error in a result that is none': ({ didResolutionMetadata }) => (didResolutionMetadata as Map)['error'] === undefined,
  'res-4.2 contentType is the media type of a representation': ({ didResolutionMetadata }) => mediaTypes.includes((didResolutionMetadata as Map)['contentType'] as string),
  'res-4.3 created is a datetime': ({ didDocumentMetadata }) => isTime((didDocumentMetadata as Map)['created']),
  'res-4.3 updated is a datetime, and left out before the first update': ({ didDocumentMetadata }) => {
    const { updated, versionId } = didDocumentMetadata as Map
    return versionId === '1' ? updated === undefined : isTime(updated)
  },
  'res-4.3 deactivated is a boolean': ({ didDocumentMetadata }) => typeof (didDocumentMetadata as Map)['deactivated'] === 'boolean',
  'res-4.3 versionId is an ASCII string': ({ didDocumentMetadata }) => isText((didDocumentMetadata as Map)['versionId']) && /^[\x20-\x7e]+$/.test((didDocumentMetadata as Map)['versionId'] as string),
  'res-4.3 nextUpdate and nextVersionId come together, for a version that is not the last': ({ didDocumentMetadata }) => {
    const { nextUpdate, nextVersionId } = didDocumentMetadata as Map
    return nextUpdate === undefined ? nextVersionId === undefined : isTime(nextUpdate) && isText(nextVersionId)
  },
  'res-4.4 a deactivated DID has no document now': ({ didDocument, didDocumentMetadata }) => didDocument !== null || (didDocumentMetadata as Map)['deactivated'] === true,
}

/** Of a result that is an error. */
export const errorStatements: Readonly<Record<string, (result: Map) => boolean>> = {
  'res-4 an error has no document': ({ didDocument }) => didDocument === null,
  'res-4 an error has empty document metadata': ({ didDocumentMetadata }) => isMap(didDocumentMetadata) && Object.keys(didDocumentMetadata).length === 0,
  'res-4.2 an error says what it is': ({ didResolutionMetadata }) => isMap(didResolutionMetadata) && isMap(didResolutionMetadata['error']),
  'res-11 the type of an error is a URL of the DID vocabulary': ({ didResolutionMetadata }) => isErrorUri(((didResolutionMetadata as Map)['error'] as Map)['type']),
  'res-11 an error has a title and a detail': ({ didResolutionMetadata }) => ['title', 'detail'].every((name) => isText(((didResolutionMetadata as Map)['error'] as Map)[name])),
}

/** The names of the statements that do not hold. */
export function broken(result: Value, subject: string): readonly string[] {
  if (!isMap(result) || !isMap(result['didResolutionMetadata'])) return ['res-4 the three structures are there']
  if (result['didResolutionMetadata']['error'] !== undefined) return Object.entries(errorStatements).flatMap(([name, holds]) => (holds(result) ? [] : [name]))
  const ofResult = Object.entries(resultStatements).flatMap(([name, holds]) => (holds(result, subject) ? [] : [name]))
  const document = result['didDocument']
  return isMap(document) ? [...ofResult, ...Object.entries(documentStatements).flatMap(([name, holds]) => (holds(document, subject) ? [] : [name]))] : ofResult
}
