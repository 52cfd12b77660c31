// A receiver of Offhook's webhooks: Go.
// go get github.com/standard-webhooks/standard-webhooks/libraries
//
// Answer with 2xx within 15 seconds and work afterwards. The same webhook-id may come more than once.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type Event struct {
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	Sequence  *int            `json:"sequence"`
	Data      json.RawMessage `json:"data"`
}

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Getenv("OFFHOOK_WEBHOOK_SECRET")) // whsec_…
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/hooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // the bytes as they came: never parse before you verify
		if err != nil || webhook.Verify(body, r.Header) != nil {
			http.Error(w, "not signed by Offhook", http.StatusBadRequest)
			return
		}
		var event Event
		if err := json.Unmarshal(body, &event); err != nil {
			http.Error(w, "not JSON", http.StatusBadRequest)
			return
		}
		log.Println(r.Header.Get("webhook-id"), event.Type, string(event.Data))
		w.WriteHeader(http.StatusNoContent)
	})
	log.Fatal(http.ListenAndServe(":3000", nil))
}
