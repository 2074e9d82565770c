// Ordinary JavaScript on node: JSON, maps, text, buffers, compression. Prints a checksum; argument: SCALE.
'use strict';
const crypto = require('crypto');
const zlib = require('zlib');

const scale = Number(process.argv[2] || '1');
const times = (full) => Math.max(1, Math.floor(full * scale));
const digest = crypto.createHash('sha256');
let state = 1;

function below(n) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % n;
}

// Documents: built, written, parsed.
for (let i = 0; i < times(6000); i++) {
  const points = [];
  for (let j = 0; j < 20; j++) points.push({ x: below(1000), y: below(1000), label: 'p'.repeat(below(30)) });
  const text = JSON.stringify({ id: i, name: `record ${i}`, points });
  digest.update(String(JSON.parse(text).points.length + text.length));
}

// Maps of objects that come and go.
const sessions = new Map();
for (let i = 0; i < times(400000); i++) {
  const id = below(5000);
  let session = sessions.get(id);
  if (!session) sessions.set(id, (session = { user: `user ${id}`, history: [] }));
  session.history.push(i);
  if (session.history.length > 30) sessions.delete(id);
}
digest.update(String(sessions.size));

// Buffers: filled, joined, compressed, hashed; these come from malloc.
const parts = [];
for (let i = 0; i < times(4000); i++) {
  const buffer = Buffer.alloc(256 + below(60000), i & 255);
  buffer.writeUInt32LE(i, 0);
  parts.push(buffer);
  if (parts.length === 40) {
    const joined = Buffer.concat(parts);
    digest.update(crypto.createHash('md5').update(joined).digest());
    parts.length = 0;
  }
}
for (let i = 0; i < times(120); i++) {
  const text = Array.from({ length: 2000 }, () => `word${below(700)}`).join(' ');
  digest.update(zlib.gunzipSync(zlib.deflateSync ? zlib.gzipSync(text, { level: 6 }) : text));
}

console.log(`checksum ${digest.digest('hex').slice(0, 16)}`);
