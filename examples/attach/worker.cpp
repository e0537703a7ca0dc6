// The same worker in C++17: the headers are the same, RAII is yours.
//
//   c++ -std=c++17 -O2 -I "$(python -c 'import lockfree; print(lockfree.get_include())')" worker.cpp -o worker
//   ./worker REQUESTS ANSWERS
#include <lockfree/lockfree.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

class Ring {
public:
    explicit Ring(const std::string &name) {
        if (int status = lf_mpmc_ring_attach(&ring_, name.c_str()); status != LF_OK)
            throw std::runtime_error(name + ": status " + std::to_string(status));
    }
    ~Ring() { lf_detach(&ring_.h); }
    Ring(const Ring &) = delete;
    Ring &operator=(const Ring &) = delete;

    std::string get() {
        std::vector<char> room(ring_.record_size + 1);
        int64_t length;
        do
            length = lf_mpmc_ring_get(&ring_, room.data(), LF_FOREVER);
        while (length == LF_INTERRUPTED);
        if (length < 0)
            throw std::runtime_error("get: status " + std::to_string(length));
        return {room.data(), static_cast<std::size_t>(length)};
    }
    void put(const std::string &record) {
        int status;
        do
            status = lf_mpmc_ring_put(&ring_, record.data(), record.size(), LF_FOREVER);
        while (status == LF_INTERRUPTED);
        if (status != LF_OK)
            throw std::runtime_error("put: status " + std::to_string(status));
    }

private:
    lf_mpmc_ring ring_{};
};

int main(int argc, char **argv) try {
    if (argc != 3)
        return 2;
    Ring requests(argv[1]), answers(argv[2]);
    answers.put(""); // an empty record: here I am
    for (std::string request = requests.get(); !request.empty(); request = requests.get()) {
        std::transform(request.begin(), request.end(), request.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        answers.put(request);
    }
    return 0;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
