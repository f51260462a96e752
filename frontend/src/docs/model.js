import { fieldOf, fieldsOf, refsOf, typeOf } from './types'

/**
 * The documents of the server as the page shows them: groups of entries, each with fields, answers and code.
 *
 * @typedef {Record<string, any>} Part a part of a document
 * @typedef {import('./types').Field} Field
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
  return [...restGroups(openapi), deliveryGroup(openapi), ...socketGroups(asyncapi), objectGroup(openapi)]
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

/**
 * What outgoing hooks post.
 *
 * @param {Part} openapi
 * @returns {Group}
 */
function deliveryGroup(openapi) {
  const entries = Object.entries(openapi.webhooks ?? {}).map(([name, { post }]) => ({
    ...restEntry(openapi, 'POST', name, { 'x-codeSamples': [], ...post }),
    note: '',
  }))
  return {
    id: 'deliveries',
    title: 'deliveries',
    text: 'What outgoing hooks post to their targets.',
    entries,
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
