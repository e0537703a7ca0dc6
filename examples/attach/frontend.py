"""The front end: creates two named rings, sends words to whatever workers attach, prints their answers.

python frontend.py REQUESTS ANSWERS N_WORKERS WORD...
"""

import sys
import threading

import lockfree


def feed(requests: lockfree.MPMCRing, words: list[str]) -> None:
    for word in words:
        requests.put(word.encode(), timeout=30)


def main(requests_name: str, answers_name: str, n_workers: int, words: list[str]) -> None:
    with (
        lockfree.MPMCRing(16, 64, name=requests_name) as requests,
        lockfree.MPMCRing(16, 64, name=answers_name) as answers,
    ):
        try:
            print("ready", flush=True)
            for _ in range(n_workers):
                answers.get(timeout=30)  # an empty record: a worker is there
            # Two threads share each ring with the workers: answers must be taken while requests are still sent.
            feeder = threading.Thread(target=feed, args=(requests, words))
            feeder.start()
            for _ in words:
                print(answers.get(timeout=30).decode(), flush=True)
            feeder.join()
            for _ in range(n_workers):
                requests.put(b"", timeout=30)
        finally:
            requests.unlink()
            answers.unlink()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
