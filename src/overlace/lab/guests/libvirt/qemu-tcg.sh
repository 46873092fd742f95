#!/bin/bash
# QEMU as libvirt starts it, with 8 KiB of memory more: libvirt rounds to MiB, and QEMU 7.2 loses changed pages of emulated
# guests whose memory is a multiple of 256 KiB (see machine.py).
words=() before=
for word in "$@"; do
    if [[ $word == *'"qom-type":"memory-backend-ram"'* ]]; then
        size=${word#*\"size\":}
        size=${size%%[!0-9]*}
        word=${word/\"size\":$size/\"size\":$((size + 8192))}
    elif [[ $before == -m && $word =~ ^(size=)?([0-9]+)(k?)$ ]]; then
        kib=${BASH_REMATCH[2]}
        [[ -n ${BASH_REMATCH[3]} ]] || kib=$((kib * 1024))
        word=size=$((kib + 8))k
    fi
    words+=("$word")
    before=$word
done
exec qemu-system-x86_64 "${words[@]}"
