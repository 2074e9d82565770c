-- Ordinary Lua: tables, strings, closures, objects. Prints a checksum; argument: SCALE.
local scale = tonumber(arg[1] or "1")
local state = 1

local function below(n)
  state = (state * 1103515245 + 12345) % 2147483648
  return (state >> 8) % n
end

local function times(full)
  return math.max(1, math.floor(full * scale))
end

local checksum = 0
local function mix(value)
  checksum = (checksum * 1000003 + value) & 0x7fffffffffffffff
end

-- Trees of small tables.
local function tree(depth)
  if depth == 0 then return {} end
  return {left = tree(depth - 1), right = tree(depth - 1)}
end
local function count(node)
  return node.left and 1 + count(node.left) + count(node.right) or 1
end
for _ = 1, times(50) do mix(count(tree(13))) end

-- Strings: made, cut, joined, replaced.
local counts = {}
for i = 1, times(90000) do
  local parts = {}
  for j = 1, 6 do parts[j] = "word" .. below(2000) end
  local line = table.concat(parts, " ")
  for word in line:gmatch("%a+%d+") do counts[word] = (counts[word] or 0) + 1 end
  mix(#line:gsub("word1", "another word"))
end
local words = {}
for word, n in pairs(counts) do words[#words + 1] = string.format("%08d %s", n, word) end
table.sort(words)
for i = 1, math.min(500, #words) do mix(#words[i] + words[i]:byte(-1)) end

-- Objects with closures, some of which live long.
local sessions = {}
for i = 1, times(900000) do
  local id = below(3000)
  local session = sessions[id]
  if not session then
    local total = 0
    session = {history = {}, add = function(n) total = total + n return total end}
    sessions[id] = session
  end
  mix(session.add(i % 17))
  session.history[#session.history + 1] = i
  if #session.history > 40 then sessions[id] = nil end
end

print(string.format("checksum %016x", checksum))
