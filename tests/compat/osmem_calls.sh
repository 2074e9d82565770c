#!/bin/sh
# What the kernel sees of osmem: one by one, for a scripted sequence worked out by hand; nothing before main, no other call.
# PACKAGES: strace
. "${0%/*}/support/common.sh"
interface osmem
need_strace
quiet gcc -O1 -Wall -Wextra -Iosmem/utils -o script "$here/osmem/script.c" -Losmem -losmem -Wl,-rpath,"$PWD/osmem"
cat >empty.c <<'END'
int main(void) { return 0; }
END
quiet gcc -o empty empty.c

strace -o trace.log ./script || fail "the script"
strace -o empty.log ./empty

# Between the marks "begin" and "end": the calls on memory, addresses as distances from the heap's start and mappings by letter.
sed -n '/write(-1, "begin"/,/write(-1, "end"/p' trace.log |
    grep -E '^(brk|mmap|munmap|mremap|madvise|mprotect|write\(-1|sbrk|mlock|prctl|futex|getrandom|clone)' >part.log
start=
: >found
while IFS= read -r line; do
    case $line in
    'write(-1, '*) line=${line#*\"} && echo "$line" | sed 's/".*/:/' >>found ;;
    'brk(NULL)'*)
        start=${line##*= }
        echo "  brk(0)" >>found
        ;;
    'brk(0x'*)
        to=${line#brk(} && to=${to%%)*}
        [ "$to" = "${line##*= }" ] || fail "the kernel refused $line"
        [ -n "$start" ] || fail "brk is moved before it is asked for: $line"
        echo "  brk(start + $((to - start)))" >>found
        ;;
    'mmap(NULL, '*', PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x'*)
        length=${line#mmap(NULL, } && length=${length%%,*}
        where=${line##*= }
        echo "  mmap($length)" >>found
        echo "$where $length" >>mapped
        ;;
    'munmap(0x'*)
        where=${line#munmap(} && length=${where#*, } && where=${where%%,*} && length=${length%%)*}
        grep -q "^$where $length\$" mapped || fail "unmapped something else than was mapped: $line"
        echo "  munmap($length)" >>found
        ;;
    *) echo "  $line" >>found ;;
    esac
done <part.log

cat >expected <<'END'
begin:
nothing:
mapped before the heap:
  mmap(131072)
  mmap(4112)
first heap use:
  brk(0)
  brk(start + 131072)
unmap:
  munmap(131072)
  munmap(4112)
not rounded to pages:
  mmap(200040)
  munmap(200040)
os_calloc up to a page:
  mmap(4096)
  munmap(4096)
the whole heap:
one more:
  brk(start + 131112)
grow by the shortfall:
  brk(start + 131208)
forty bytes over:
best fit:
realloc in place:
realloc moves:
realloc to nothing, from nothing:
the last block grows:
  brk(start + 132064)
  brk(start + 132864)
with a free one behind it:
  brk(start + 136064)
to a mapping:
  mmap(140032)
mapped to mapped:
  mmap(140032)
  munmap(140032)
mapped to heap:
  munmap(140032)
end:
END
diff -u expected found || fail "the kernel has seen something else"

# Before main: as many calls on memory as a program without osmem, but for what loading a library costs (mmap, mprotect); brk is
# the sharp one: the loader asks for it once.
before=$(sed '/write(-1, "main"/,$d' trace.log | grep -c '^brk(') || true
[ "$before" = "$(grep -c '^brk(' empty.log)" ] || fail "the break is asked for before main"
