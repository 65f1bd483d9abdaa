// Connection: Go with gorilla/websocket and http.ServeContent.
//
// GET /ws: every text goes unchanged to all who are connected, the sender too, as a prepared message
// through one channel and one writing goroutine a member, as gorilla's own chat example has it.
// GET /video: ranges of the file that is the argument. GET /validate: a small JSON answer.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

type hub struct {
	mutex   sync.RWMutex
	members map[chan *websocket.PreparedMessage]bool
}

func (h *hub) broadcast(text []byte) {
	message, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		return
	}
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	for member := range h.members {
		select {
		case member <- message:
		default: // who has 256 unread messages misses this one
		}
	}
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{
		WriteBufferPool: &writeBuffers,
		CheckOrigin:     func(*http.Request) bool { return true },
	}
	connection, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	queue := make(chan *websocket.PreparedMessage, 256)
	h.mutex.Lock()
	h.members[queue] = true
	h.mutex.Unlock()
	go func() {
		for message := range queue {
			if connection.WritePreparedMessage(message) != nil {
				break
			}
		}
		connection.Close()
	}()
	for {
		_, text, err := connection.ReadMessage()
		if err != nil {
			break
		}
		h.broadcast(text)
	}
	h.mutex.Lock()
	delete(h.members, queue)
	h.mutex.Unlock()
	close(queue)
}

var writeBuffers sync.Pool

func main() {
	h := &hub{members: map[chan *websocket.PreparedMessage]bool{}}
	http.HandleFunc("/ws", h.serve)
	http.HandleFunc("/validate", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"valid":true}`))
	})
	http.HandleFunc("/video", func(w http.ResponseWriter, r *http.Request) {
		file, err := os.Open(os.Args[1])
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer file.Close()
		http.ServeContent(w, r, "video.mp4", time.Time{}, file)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
