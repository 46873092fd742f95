"""Moving guests by QEMU's own monitors (QMP)."""
