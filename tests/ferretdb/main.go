// Command ferretdb serves MongoDB's wire protocol over SQLite, for the tests of the MongoDB store.
//
// Usage: ferretdb HOST:PORT DIRECTORY. It prints "ready" once the port is open, and runs until it is interrupted.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: ferretdb HOST:PORT DIRECTORY")
	}
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: os.Args[1]},
		Handler:   "sqlite",
		SQLiteURL: "file:" + filepath.Clean(os.Args[2]) + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		for ctx.Err() == nil {
			if conn, err := net.Dial("tcp", os.Args[1]); err == nil {
				conn.Close()
				fmt.Println("ready")
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}
