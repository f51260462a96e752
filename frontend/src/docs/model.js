/**
 * The documents of the server as the page shows them: groups of entries, each with fields, answers and code.
 *
 * @typedef {Record<string, any>} Part a part of a document
 * @typedef {{ name: string, type: string, refs: string[], place: string, required: boolean, text: string }} Field
 * @typedef {{ title: string, text: string, type: string, refs: string[], fields: Field[] }} Answer
 * @typedef {{ label: string, source: string }} Sample
 * @typedef {{
 *   id: string, method: string, title: string, text: string, note: string,
 *   fields: Field[], answers: Answer[], samples: Sample[],
 * }} Entry
 * @typedef {{ id: string, title: string, text: string, entries: Entry[] }} Group
 */

const PLACES = /** @type {Record<string, string>} */ ({ path: 'path', query: 'query', header: 'header' })

/**
 * All groups of both documents: the calls of REST by tag, the commands and events of the sockets, the objects.
 *
 * @param {Part} openapi
 * @param {Part} asyncapi
 * @returns {Group[]}
 */
export function groupsOf(openapi, asyncapi) {
  return [...restGroups(openapi), ...socketGroups(asyncapi), objectGroup(openapi)]
}

/**
 * The groups with only those entries in which all words are found.
 *
 * @param {Group[]} groups
 * @param {string} query
 */
export function found(groups, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  if (!words.length) return groups
  return groups
    .map((group) => ({ ...group, entries: group.entries.filter((entry) => has(entry, words)) }))
    .filter((group) => group.entries.length)
}

/**
 * @param {Entry} entry
 * @param {string[]} words
 */
function has({ method, title, text, fields }, words) {
  const all = [method, title, text, ...fields.map((field) => field.name)].join(' ').toLowerCase()
  return words.every((word) => all.includes(word))
}

/** @param {Part} openapi */
function restGroups(openapi) {
  /** @type {Map<string, Group>} */
  const groups = new Map()
  for (const { name, description = '' } of openapi.tags)
    groups.set(name, { id: `rest-${name}`, title: name, text: description, entries: [] })
  for (const [path, methods] of Object.entries(openapi.paths))
    for (const [method, operation] of Object.entries(methods))
      groups.get(operation.tags[0])?.entries.push(restEntry(openapi, method.toUpperCase(), path, operation))
  return [...groups.values()]
}

/**
 * @param {Part} openapi
 * @param {string} method
 * @param {string} path
 * @param {Part} operation
 * @returns {Entry}
 */
function restEntry(openapi, method, path, operation) {
  const fields = (operation.parameters ?? []).map((/** @type {Part} */ parameter) => ({
    ...fieldOf(parameter.name, parameter.schema, parameter.required),
    place: PLACES[parameter.in],
    text: parameter.description ?? '',
  }))
  const kinds = Object.keys(operation.requestBody?.content ?? {})
  const body = operation.requestBody?.content[kinds[0]].schema
  return {
    id: operation.operationId,
    method,
    title: path,
    text: operation.description,
    note: [
      operation.security.length ? '' : 'Needs no token.',
      kinds.length && kinds[0] !== 'application/json' ? `The body is ${kinds.join(' or ')}.` : '',
    ]
      .filter(Boolean)
      .join(' '),
    fields: [...fields, ...(body ? fieldsOf(body) : [])],
    answers: Object.entries(operation.responses).map(([status, response]) =>
      restAnswer(openapi, status, response),
    ),
    samples: operation['x-codeSamples'],
  }
}

/**
 * @param {Part} openapi
 * @param {string} status
 * @param {Part} response
 * @returns {Answer}
 */
function restAnswer(openapi, status, response) {
  const whole = response.$ref ? openapi.components.responses[response.$ref.split('/').at(-1)] : response
  const [kind, content] = /** @type {[string, Part][]} */ (Object.entries(whole.content ?? {}))[0] ?? [
    '',
    undefined,
  ]
  const isError = response.$ref !== undefined
  const schema = isError ? undefined : content?.schema
  const isFile = content && kind !== 'application/json'
  return {
    title: status,
    text: whole.description,
    type: isFile ? kind : schema ? typeOf(schema) : '',
    refs: schema ? refsOf(schema) : [],
    fields: schema ? fieldsOf(schema) : [],
  }
}

/** @param {Part} asyncapi */
function socketGroups(asyncapi) {
  const { raw, socketio } = asyncapi.channels
  /** @type {Entry[]} */
  const commands = []
  /** @type {Entry[]} */
  const events = []
  for (const [key, operation] of /** @type {[string, Part][]} */ (Object.entries(asyncapi.operations))) {
    const isRaw = operation.channel.$ref === '#/channels/raw'
    const [message, ack] = [operation.messages[0], operation.reply?.messages[0]].map(
      (ref) => ref && raw.messages[ref.$ref.split('/').at(-1)],
    )
    if (operation.action === 'receive' && isRaw)
      commands.push({
        id: `command-${operation.title}`,
        method: 'command',
        title: operation.title,
        text: operation.description,
        note: '',
        fields: fieldsOf(message.payload, ['type', 'id']),
        answers: [
          { title: 'ack', text: '', type: '', refs: [], fields: fieldsOf(ack.payload, ['type', 'id', 'ok']) },
          { title: 'error', text: operation['x-errors'].join(', '), type: '', refs: [], fields: [] },
        ],
        samples: [
          ...operation['x-codeSamples'],
          ...(asyncapi.operations[key.replace('raw_', 'socketio_')]?.['x-codeSamples'] ?? []),
        ],
      })
    else if (
      operation.action === 'send' &&
      (isRaw || !(`raw_on_${operation.title}` in asyncapi.operations))
    ) {
      const event = (isRaw ? raw : socketio).messages[operation.messages[0].$ref.split('/').at(-1)]
      events.push({
        id: `event-${operation.title}`,
        method: 'event',
        title: operation.title,
        text: event.description ?? '',
        note: isRaw ? '' : 'Socket.IO only.',
        fields: fieldsOf(event.payload, ['type']),
        answers: [],
        samples: [],
      })
    }
  }
  const text = asyncapi.info.description
  return [
    { id: 'commands', title: 'commands', text, entries: commands },
    { id: 'events', title: 'events', text: 'What the server sends, on both sockets.', entries: events },
  ]
}

/**
 * @param {Part} openapi
 * @returns {Group}
 */
function objectGroup(openapi) {
  const entries = /** @type {[string, Part][]} */ (Object.entries(openapi.components.schemas)).map(
    ([name, schema]) => ({
      id: `object-${name}`,
      method: 'object',
      title: name,
      text: schema.description ?? '',
      note: '',
      fields: fieldsOf(schema),
      answers: [],
      samples: [],
    }),
  )
  return { id: 'objects', title: 'objects', text: 'What calls answer, and what events carry.', entries }
}

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
function fieldOf(name, schema, required) {
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
  if (type === 'array') return `list of ${typeOf(schema.items)}`
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
