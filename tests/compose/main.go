// Loads compose files as docker compose does, and says what is wrong with them: the schema, the variables,
// services and volumes that are named but not there. Prints the whole project as JSON.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func main() {
	files := os.Args[1:]
	options, err := cli.NewProjectOptions(
		files,
		cli.WithWorkingDirectory(filepath.Dir(files[0])),
		cli.WithName("vestnik"),
		cli.WithOsEnv,
		cli.WithProfiles([]string{"*"}),
	)
	var text []byte
	if err == nil {
		var project *types.Project
		if project, err = options.LoadProject(context.Background()); err == nil {
			text, err = project.MarshalJSON()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(text))
}
