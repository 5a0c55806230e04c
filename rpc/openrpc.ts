// The OpenRPC 1.3.2 document (spec.open-rpc.org), generated from the schemas that check the input.
import type { Json, JsonObject } from '../primitives/schema.ts'
import { families } from '../state/families.ts'
import { parametersTable } from '../state/parameters.ts'
import { blockRecordTable } from '../state/block-record.ts'
import { listedCodes } from './errors.ts'
import { subscriptionsPerSocketMax, batchCallsMax, jsonDepthMax, requestBytesMax, waitMsMax } from './limits.ts'
import { methodList } from './methods/table.ts'
import type { Method } from './methods/method.ts'
import { sampleOf } from './sample.ts'

/** Errors that any method may answer. */
const anyMethodErrors = ['rpc/rate-limited', 'rpc/batch-timeout', 'rpc/answer-too-large']

export function openRpcDocument(version: string): JsonObject {
  return {
    openrpc: '1.3.2',
    info: {
      title: 'Dongbaek node',
      version,
      description: [
        'JSON-RPC 2.0 over HTTP (POST /) and WebSocket (/ws). Parameters by name. Amounts are integers (won), bytes base64url without padding, times ms since the epoch, heights integers from 1.',
        `A request has at most ${requestBytesMax.toLocaleString('en')} bytes, ${jsonDepthMax} levels and ${batchCallsMax} calls in a batch. An id comes back byte for byte.`,
        'Errors in −32000 … −32099 bear `data.code`, the same code that a receipt bears: compare that, not the number.',
      ].join('\n\n'),
    },
    methods: methodList.map(methodObject),
    components: { errors: Object.fromEntries(listedCodes.map(({ code, number, sentence }) => [errorKey(code), { code: number, message: sentence, data: { code } }])) },
    'x-kinds': Object.fromEntries(
      families.flatMap((family) => family.kinds.map(({ kind, summary, payload, createsSender }) => [kind, { family: family.name, summary, payload: payload.jsonSchema, createsSender: createsSender === true }])),
    ),
    'x-events': Object.fromEntries(families.flatMap((family) => family.events.map(({ type, summary, schema }) => [type, { family: family.name, summary, fields: schema.jsonSchema }]))),
    'x-codes': Object.fromEntries(listedCodes.map(({ code, number, sentence }) => [code, { number, sentence }])),
    'x-limits': { requestBytesMax, jsonDepthMax, batchCallsMax, waitMsMax, subscriptionsPerSocketMax },
    'x-state-keys': { block: `${blockRecordTable.name}/<height in 16 digits>`, parameters: `${parametersTable.name}/current` },
  }
}

function methodObject(method: Method): JsonObject {
  const { properties = {}, required = [] } = method.paramsSchema as { readonly properties?: JsonObject; readonly required?: readonly Json[] }
  return {
    name: method.method,
    summary: method.summary,
    tags: [{ name: method.method.split(/[_.]/, 1)[0] as string }],
    paramStructure: 'by-name',
    params: Object.entries(properties).map(([name, schema]) => ({ name, required: required.includes(name), schema })),
    result: { name: 'result', schema: method.resultSchema },
    errors: [...new Set([...method.errors, ...anyMethodErrors])].map((code) => ({ $ref: `#/components/errors/${errorKey(code)}` })),
    examples: [{ name: `${method.method} example`, params: Object.entries(method.example).map(([name, value]) => ({ name, value })), result: { name: 'result', summary: 'of this form', value: sampleOf(method.resultSchema) } }],
    'x-cost': method.cost,
  }
}

/** Keys of components may not hold a slash. */
function errorKey(code: string): string {
  return code.replace('/', '.')
}
