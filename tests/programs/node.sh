# node: strings, maps, JSON, zlib and crypto in its thread pool, workers, a child process.
# PACKAGES: nodejs
. "$LOAM_ROOT/tests/runner/programs.sh"
need nodejs node
cat >"$input/program.js" <<'JS'
const zlib = require("zlib"), crypto = require("crypto"), { Worker, isMainThread, parentPort, workerData } = require("worker_threads");
function words(n, seed) { let out = []; for (let i = 0; i < n; i++) { seed = (seed * 1103515245 + 12345) % 2147483648; out.push((seed % 7919).toString(36)); } return out; }
if (!isMainThread) { parentPort.postMessage(Buffer.from(words(20000, workerData).join(" "))); }
else (async () => {
    const count = new Map(); for (const w of words(200000, 1)) count.set(w, (count.get(w) || 0) + 1);
    console.log([...count].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 20).join(" "));
    const text = JSON.stringify([...count].map(([w, n]) => ({ w, n, list: Array(n % 30).fill(w) })));
    console.log(crypto.createHash("sha256").update(JSON.stringify(JSON.parse(text))).digest("hex"));
    const packed = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(n => new Promise(r => zlib.deflate(Buffer.from(text.repeat(1 + n % 3)), (e, b) => r(b)))));
    console.log(packed.map(b => b.length + " " + crypto.createHash("md5").update(b).digest("hex")).join("\n"));
    const back = await Promise.all(packed.map(b => new Promise(r => zlib.inflate(b, (e, x) => r(x.length)))));
    console.log(back.join(" "));
    const keys = await Promise.all([1, 2, 3, 4].map(n => new Promise(r => crypto.pbkdf2("p" + n, "salt", 2000, 64, "sha512", (e, k) => r(k.toString("hex"))))));
    console.log(keys.join("\n"));
    const sums = await Promise.all([1, 2, 3].map(n => new Promise((r, x) => { const w = new Worker(__filename, { workerData: n }); w.on("error", x); w.on("message", b => r(crypto.createHash("md5").update(b).digest("hex"))); })));
    console.log(sums.join(" "), require("child_process").execSync("echo child").toString().trim());
    for (let i = 0; i < 200; i++) Buffer.allocUnsafe(1 << 20).fill(i);
})();
JS
good node node "$input/program.js"
[ "$(wc -l <node.loam/stdout)" -ge 15 ] || fail "the program did not come to its end"
same node_exit node -e 'let a = []; for (let i = 0; i < 1e5; i++) a.push({ i }); process.exit(a.length % 256)'
