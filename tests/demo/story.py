# SPDX-License-Identifier: AGPL-3.0-or-later
"""The standard report: moving a KTP at a kelurahan, from April to December, and what the office
answers.
"""

from typing import Final

REPORT: Final = {
    "story": (
        "Saya mengurus pindah alamat KTP di kelurahan sejak bulan April. Sampai bulan Desember belum selesai. "
        "Saya sudah datang empat kali. Setiap kali petugas loket bilang berkas masih diproses, lalu meminta "
        "“biaya administrasi” seratus lima puluh ribu rupiah supaya cepat, tanpa kuitansi. "
        "Di papan pengumuman tertulis pindah alamat tidak dipungut biaya. Saya tidak mau membayar, "
        "dan sejak itu berkas saya selalu dikatakan kurang lengkap."
    ),
    "happened": "asked_refused",
    "service": "ktp-pindah",
    "place": "loket 3 kelurahan, lantai bawah",
    "month": "04",
    "how": "spoken",
    "reason": "administration",
    "asked": "100k_250k",
    "who": "petugas loket 3, laki-laki, kira-kira empat puluh tahun",
    "others": "everyone",
    "wish": "complete",
}

FOLLOW_UPS: Final = {
    "assessing": (
        "Laporan Anda sudah kami baca. Kami mencocokkan tarif resmi pindah alamat dan papan pengumuman "
        "di kelurahan itu. Langkah berikutnya kami tulis di sini paling lambat lima hari kerja lagi."
    ),
    "examining": (
        "Kami sudah meminta buku agenda loket dari April sampai Desember dan memeriksa antrean berkas "
        "pindah alamat yang tertahan lebih dari empat belas hari. Maaf, kabar ini terlambat."
    ),
    "upheld_fixed": (
        "Terbukti: tiga puluh satu berkas tertahan dengan alasan yang sama. Berkas pindah alamat sekarang "
        "diterima di loket bersama dengan nomor urut dan tanda terima, dan tarif Rp 0 dipasang di tiap loket. "
        "KTP Anda dapat diambil; Anda tidak perlu menyebut laporan ini."
    ),
}
