import { closeAll } from '@/services/overlays' // hears of a step back before the router does
import { createRouter, createWebHistory } from 'vue-router'
import NoChat from '@/components/NoChat.vue'
import { useSession } from '@/stores/session'
import ChatDetailView from '@/views/ChatDetailView.vue'
import LoginView from '@/views/LoginView.vue'
import MainView from '@/views/MainView.vue'
import RegisterView from '@/views/RegisterView.vue'

// All of it comes with the first load: going to a place does not wait for the network, and works without it.
const routes = [
  { path: '/login', name: 'login', component: LoginView, meta: { public: true } },
  {
    path: '/register',
    name: 'register',
    component: RegisterView,
    meta: { public: true },
  },
  {
    path: '/',
    component: MainView,
    children: [
      { path: '', name: 'home', component: NoChat },
      {
        path: 'chats/:chatId(\\d+)',
        name: 'chat',
        component: ChatDetailView,
        props: (/** @type {any} */ route) => ({
          chatId: Number(route.params.chatId),
          messageId: Number(route.query.message) || null,
        }),
      },
    ],
  },
  { path: '/:rest(.*)*', redirect: '/' },
]

const router = createRouter({ history: createWebHistory(), routes })

// What lies over a page does not stay over the next, and no entry of it stays between the two.
router.beforeEach(closeAll)

// Whoever has to log in comes back to where he wanted to go.
router.beforeEach((to) => {
  const { isLoggedIn } = useSession()
  if (!isLoggedIn && !to.meta.public) return loginFor(to.fullPath)
  if (isLoggedIn && to.meta.public) return String(to.query.to ?? '/')
})

/** The way to log in and then go on at a place. @param {string} place */
export function loginFor(place) {
  return { name: 'login', query: place === '/' ? {} : { to: place } }
}

export default router
