/**
 * Schemas of the documents in words.
 *
 * @typedef {Record<string, any>} Part a part of a document
 * @typedef {{ name: string, type: string, refs: string[], place: string, required: boolean, text: string }} Field
 */

/**
 * The fields of an object, without those that are left out.
 *
 * @param {Part} schema
 * @param {string[]} leftOut
 * @returns {Field[]}
 */
export function fieldsOf(schema, leftOut = []) {
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => !leftOut.includes(name))
    .map(([name, property]) => fieldOf(name, property, (schema.required ?? []).includes(name)))
}

/**
 * @param {string} name
 * @param {Part} schema
 * @param {boolean} required
 * @returns {Field}
 */
export function fieldOf(name, schema, required) {
  return {
    name,
    type: typeOf(schema),
    refs: refsOf(schema),
    place: '',
    required,
    text: schema.description ?? '',
  }
}

/**
 * A type in words.
 *
 * @param {Part} schema
 * @returns {string}
 */
export function typeOf(schema) {
  if (schema.$ref) return nameOf(schema.$ref)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ value) => JSON.stringify(value)).join(' | ')
  const parts = schema.anyOf ?? schema.oneOf
  if (parts) return parts.map(typeOf).join(' | ')
  const types = [schema.type ?? 'any'].flat()
  return types.map((type) => plainType(schema, type)).join(' | ') + boundsOf(schema)
}

/**
 * @param {Part} schema
 * @param {string} type
 */
function plainType(schema, type) {
  if (type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  if (type === 'object' && schema.additionalProperties)
    return `object of ${typeOf(schema.additionalProperties)}`
  if (type === 'string' && schema.format === 'date-time') return 'time'
  if (type === 'string' && schema.contentMediaType) return 'file'
  return type
}

const ID_MAX = 2 ** 53 - 1

/** @param {Part} schema */
function boundsOf(schema) {
  const [lowest, highest] = [
    schema.minimum ?? schema.minLength,
    schema.maximum ?? schema.maxLength ?? schema.maxItems,
  ]
  const isId = lowest === 1 && highest === ID_MAX
  const preset = schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`
  if (isId || (lowest === undefined && highest === undefined)) return preset
  if (highest === undefined || highest === ID_MAX) return `, ${lowest} or more${preset}`
  return lowest === undefined ? `, at most ${highest}${preset}` : `, ${lowest} to ${highest}${preset}`
}

/**
 * The objects that a type names.
 *
 * @param {Part} schema
 * @returns {string[]}
 */
export function refsOf(schema) {
  if (schema.$ref) return [nameOf(schema.$ref)]
  const parts = [...(schema.anyOf ?? schema.oneOf ?? []), schema.items, schema.additionalProperties]
  return parts.filter(Boolean).flatMap(refsOf)
}

/** @param {string} ref */
function nameOf(ref) {
  return ref.split('/').at(-1) ?? ''
}

/**
 * A text in paragraphs of pieces, of which every second one is code.
 *
 * @param {string} text
 * @returns {string[][]}
 */
export function paragraphsOf(text) {
  return text
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim())
    .map((paragraph) => paragraph.trim().split('`'))
}
