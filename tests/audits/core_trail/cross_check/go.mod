module expunge/crosscheck

go 1.22
