# Ordinary Ruby: hashes, strings, objects, JSON, sorting. Prints a checksum; argument: SCALE.
require 'json'
require 'zlib'

$scale = (ARGV[0] || '1').to_f
$state = 1
$checksum = 0

def below(n)
  $state = ($state * 1103515245 + 12345) & 0x7fffffff
  ($state >> 8) % n
end

def times(full)
  [1, (full * $scale).to_i].max
end

def mix(value)
  $checksum = ($checksum * 1000003 + value) & 0xffffffffffff
end

Order = Struct.new(:id, :customer, :lines)

# Documents written and parsed.
times(2500).times do |i|
  lines = Array.new(12) { |k| { 'item' => "item #{below(500)}", 'amount' => below(9), 'note' => 'n' * below(60), 'at' => k } }
  text = JSON.generate({ 'id' => i, 'lines' => lines, 'text' => 'lorem ipsum ' * below(20) })
  mix(Zlib.crc32(text) + JSON.parse(text)['lines'].size)
end

# Objects that come and go.
orders = {}
times(200_000).times do |i|
  id = below(4000)
  order = (orders[id] ||= Order.new(id, "customer number #{id} of this shop", []))
  order.lines << "line #{i} of this order"
  orders.delete(id) if order.lines.size > 20
end
orders.sort.each { |id, order| mix(id + order.lines.size) }

# Text cut, counted, joined.
counts = Hash.new(0)
times(15_000).times do
  line = Array.new(10) { "word#{below(3000)}" }.join(' ')
  line.split.each { |word| counts[word] += 1 }
  mix(line.gsub('word1', 'another word').size)
end
counts.sort_by { |word, n| [-n, word] }.first(500).each { |word, n| mix(word.size + n) }

printf("checksum %016x\n", $checksum)
