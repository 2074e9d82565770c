# lua5.4: tables, strings, closures and coroutines, in its generational and incremental collector.
# PACKAGES: lua5.4
. "$LOAM_ROOT/tests/runner/programs.sh"
need lua5.4 lua5.4
cat >"$input/program.lua" <<'LUA'
collectgarbage(arg[1])
local seed = 42
local function random(n) seed = (seed * 1103515245 + 12345) % 2147483648; return seed // 65536 % n end
local words = {}
for i = 1, 100000 do words[i] = string.format("%x", random(5000)) .. string.rep("y", random(30)) end
local count = {}
for _, w in ipairs(words) do count[w] = (count[w] or 0) + 1 end
local keys = {}
for k in pairs(count) do keys[#keys + 1] = k end
table.sort(keys, function(a, b) if count[a] ~= count[b] then return count[a] > count[b] end return a < b end)
for i = 1, 30 do print(keys[i], count[keys[i]]) end
local function tree(depth) return depth == 0 and {} or { tree(depth - 1), tree(depth - 1), depth } end
local function size(t) return t[1] and 1 + size(t[1]) + size(t[2]) or 1 end
for i = 1, 8 do print(i, size(tree(13))) end
local workers, sum = {}, 0
for i = 1, 2000 do workers[i] = coroutine.wrap(function() for j = 1, 20 do coroutine.yield(i * j % 97) end end) end
for j = 1, 20 do for i = 1, 2000 do sum = sum + workers[i]() end end
print(sum, #table.concat(words, ","), (table.concat(words):gsub("y+", "Y")):len())
LUA
good incremental lua5.4 "$input/program.lua" incremental
good generational lua5.4 "$input/program.lua" generational
same lua_error lua5.4 -e 'local t = {} for i = 1, 10000 do t[i] = {i} end error("on purpose")'
