// Loads a compose file as docker compose does, and says what is wrong with it: the schema, the variables,
// services and volumes that are named but not there.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	file := os.Args[1]
	options, err := cli.NewProjectOptions(
		[]string{file},
		cli.WithWorkingDirectory(filepath.Dir(file)),
		cli.WithName("vestnik"),
		cli.WithOsEnv,
		cli.WithProfiles([]string{"*"}),
	)
	if err == nil {
		_, err = options.LoadProject(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
