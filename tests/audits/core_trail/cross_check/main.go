// Checks an unpacked case with the code that the go command uses for Go's checksum database.
//
//	go mod tidy
//	go run . [-shift N] FOLDER KEYS
//
// FOLDER holds checkpoint.txt and events.jsonl; KEYS is a file with a verifier key on each line,
// from another source than the folder. The program ends with 1 at the first thing that is wrong.
// With -shift 1 each event is looked for one place after its own, which must fail.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// line is one line of events.jsonl. The bytes of the event are kept as they are: they are the leaf.
type line struct {
	Event json.RawMessage
	Index int64
	Path  []string
}

func main() {
	shift := flag.Int64("shift", 0, "add this to each index")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: crosscheck [-shift N] FOLDER KEYS")
		os.Exit(2)
	}
	if err := check(flag.Arg(0), flag.Arg(1), *shift); err != nil {
		fmt.Fprintln(os.Stderr, "REJECTED:", err)
		os.Exit(1)
	}
	fmt.Println("ACCEPTED.")
}

func check(folder, keys string, shift int64) error {
	tree, err := openCheckpoint(filepath.Join(folder, "checkpoint.txt"), keys)
	if err != nil {
		return err
	}
	fmt.Printf("The checkpoint is signed: %d events, root %s.\n", tree.N, tree.Hash)
	data, err := os.ReadFile(filepath.Join(folder, "events.jsonl"))
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	count := 0
	for ; lines.Scan(); count++ {
		if err := inLog(lines.Bytes(), tree, shift); err != nil {
			return fmt.Errorf("line %d of events.jsonl: %w", count+1, err)
		}
	}
	if count == 0 {
		return fmt.Errorf("events.jsonl holds no event")
	}
	fmt.Printf("%d events are in the log under it.\n", count)
	return lines.Err()
}

func openCheckpoint(path, keys string) (tlog.Tree, error) {
	text, err := os.ReadFile(keys)
	if err != nil {
		return tlog.Tree{}, err
	}
	var trusted []note.Verifier
	for _, one := range strings.Fields(string(text)) {
		verifier, err := note.NewVerifier(one)
		if err != nil {
			return tlog.Tree{}, fmt.Errorf("key %s: %w", one, err)
		}
		trusted = append(trusted, verifier)
	}
	signed, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(trusted...))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("checkpoint.txt: %w", err)
	}
	return parseTree(opened.Text)
}

// parseTree reads origin, size and root. tlog.ParseTree would ask for the origin of Go's own log.
func parseTree(text string) (tlog.Tree, error) {
	var tree tlog.Tree
	rows := strings.Split(text, "\n")
	if len(rows) < 4 {
		return tree, fmt.Errorf("checkpoint.txt has %d lines; needed are origin, size and root", len(rows)-1)
	}
	if _, err := fmt.Sscanf(rows[1], "%d", &tree.N); err != nil {
		return tree, fmt.Errorf("size %q is not a number", rows[1])
	}
	var err error
	tree.Hash, err = tlog.ParseHash(rows[2])
	return tree, err
}

func inLog(data []byte, tree tlog.Tree, shift int64) error {
	var one line
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, text := range one.Path {
		hash, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(hash) != tlog.HashSize {
			return fmt.Errorf("%q is not a hash", text)
		}
		path = append(path, tlog.Hash(hash))
	}
	return tlog.CheckRecord(path, tree.N, tree.Hash, one.Index+shift, tlog.RecordHash(one.Event))
}
