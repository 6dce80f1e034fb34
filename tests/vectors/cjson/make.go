package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/docker/go/canonical/json"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var v interface{}
		if err := json.Unmarshal(in.Bytes(), &v); err != nil {
			panic(err)
		}
		signed, err := json.MarshalCanonical(v)
		if err != nil {
			panic(err)
		}
		raw := json.RawMessage(signed)
		file, err := json.Marshal(&raw)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s\n%s\n", signed, file)
	}
}
