;; CRC-32C of a range of the memory, sixteen bytes a step (slicing-by-16). The tables stand at 0 to 16383, slice k at
;; 1024 k; $c is the inverted checksum so far, and so is the result. $n is taken down to a multiple of 16.
;; crc32cKernel.ts holds the assembled module; a test assembles this text and compares.
(module
  (memory (export "memory") 4)
  (func (export "crc") (param $p i32) (param $n i32) (param $c i32) (result i32)
    (local $end i32) (local $a i64) (local $b i64)
    (local.set $end (i32.add (local.get $p) (i32.and (local.get $n) (i32.const -16))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
        (local.set $a (i64.xor (i64.load (local.get $p)) (i64.extend_i32_u (local.get $c))))
        (local.set $b (i64.load offset=8 (local.get $p)))
        (local.set $c
          (i32.xor (i32.xor (i32.xor
            (i32.xor (i32.load offset=15360 (i32.shl (i32.wrap_i64 (i64.and (local.get $a) (i64.const 255))) (i32.const 2)))
                     (i32.load offset=14336 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $a) (i64.const 6)) (i64.const 1020)))))
            (i32.xor (i32.load offset=13312 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $a) (i64.const 14)) (i64.const 1020))))
                     (i32.load offset=12288 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $a) (i64.const 22)) (i64.const 1020))))))
            (i32.xor
            (i32.xor (i32.load offset=11264 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $a) (i64.const 30)) (i64.const 1020))))
                     (i32.load offset=10240 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $a) (i64.const 38)) (i64.const 1020)))))
            (i32.xor (i32.load offset=9216 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $a) (i64.const 46)) (i64.const 1020))))
                     (i32.load offset=8192 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $a) (i64.const 54)) (i64.const 1020)))))))
            (i32.xor
            (i32.xor
            (i32.xor (i32.load offset=7168 (i32.shl (i32.wrap_i64 (i64.and (local.get $b) (i64.const 255))) (i32.const 2)))
                     (i32.load offset=6144 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $b) (i64.const 6)) (i64.const 1020)))))
            (i32.xor (i32.load offset=5120 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $b) (i64.const 14)) (i64.const 1020))))
                     (i32.load offset=4096 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $b) (i64.const 22)) (i64.const 1020))))))
            (i32.xor
            (i32.xor (i32.load offset=3072 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $b) (i64.const 30)) (i64.const 1020))))
                     (i32.load offset=2048 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $b) (i64.const 38)) (i64.const 1020)))))
            (i32.xor (i32.load offset=1024 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $b) (i64.const 46)) (i64.const 1020))))
                     (i32.load offset=0 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $b) (i64.const 54)) (i64.const 1020)))))))))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (br $next)))
    (local.get $c)))
